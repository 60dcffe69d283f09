// The wire format of Protocol Buffers, as far as ONNX needs it. Large fields are made only when they are written.

/** Bytes of known length that are made when they are written, such as a weight. */
export interface LazyBytes {
  /** Length in bytes. */
  readonly length: number;
  /** Makes the bytes. */
  make(): Uint8Array;
}

/** A part of a message. */
export type Part = Uint8Array | LazyBytes;

/** An encoded message, or some of its fields. */
export type Message = readonly Part[];

/** Wire types: how the length of a field is known. */
const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

const encoder = new TextEncoder();

/** Encodes a whole number in groups of 7 bits; a negative one takes ten bytes, as an int64. */
function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** An int32, int64 or enum field. @param field Field number. */
export function intField(field: number, value: number): Message {
  return [Uint8Array.from([...varint(field << 3 | VARINT), ...varint(value)])];
}

/** A float field. */
export function floatField(field: number, value: number): Message {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [Uint8Array.from([...varint(field << 3 | FIXED32), ...bytes])];
}

/** A string field. */
export function stringField(field: number, text: string): Message {
  return messageField(field, [encoder.encode(text)]);
}

/** A field that holds a message, or bytes. */
export function messageField(field: number, message: Message): Message {
  const length = lengthOf(message);
  return joinBytes([Uint8Array.from([...varint(field << 3 | BYTES), ...varint(length)]), ...message]);
}

/** Length of a message in bytes. */
export function lengthOf(message: Message): number {
  return message.reduce((sum, { length }) => sum + length, 0);
}

/** The bytes of a message, one part after another. */
export function* bytesOf(message: Message): Generator<Uint8Array> {
  for (const part of message) yield part instanceof Uint8Array ? part : part.make();
}

/** Joins neighbouring parts whose bytes are there. */
export function joinBytes(message: Message): Message {
  const joined: Part[] = [];
  let pending: Uint8Array[] = [];
  const flush = () => {
    if (pending.length === 0) return;
    const bytes = new Uint8Array(lengthOf(pending));
    let at = 0;
    for (const part of pending) {
      bytes.set(part, at);
      at += part.length;
    }
    joined.push(bytes);
    pending = [];
  };
  for (const part of message) {
    if (part instanceof Uint8Array) pending.push(part);
    else {
      flush();
      joined.push(part);
    }
  }
  flush();
  return joined;
}
