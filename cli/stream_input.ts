import { bytesSource } from "../data/audio/source.ts";
import { readWavHeader } from "../data/audio/wav.ts";
import { UserError } from "./user_error.ts";

/** Bytes that a WAV header is looked for in, 0.13 s of audio. */
const HEADER = 4096;

const refusal = (found: string) =>
  new UserError(
    `Cannot stream standard input as it must be WAV or bare samples, 16 bits, 16000 Hz, one channel: ${found} ` +
      "(ffmpeg -i INPUT -f s16le -ar 16000 -ac 1 - makes it so)",
  );

/**
 * Samples of standard input as they come: a WAV file, or bare samples. Either has 16 bits, 16 kHz and one channel.
 *
 * @param stream the bytes
 * @throws {UserError} it is empty, text, or audio of another kind; one line
 */
export async function* samplesOf(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  let head: Uint8Array = new Uint8Array(0);
  let left: number | null = null;
  for await (const bytes of stream) {
    head = joined(head, bytes);
    if (left === null) {
      if (head.length < HEADER) continue;
      ({ head, left } = withoutHeader(head));
    }
    const even = Math.min(head.length - head.length % 2, left);
    if (even > 0) yield samplesIn(head.subarray(0, even));
    head = head.slice(even);
    left -= even;
    if (left === 0) return;
  }
  if (left === null) ({ head, left } = withoutHeader(head));
  const even = Math.min(head.length - head.length % 2, left);
  if (even > 0) yield samplesIn(head.subarray(0, even));
}

/** Whether bytes are text: UTF-8 without control characters. Silence has bytes of 0, and other samples are no UTF-8. */
function isText(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    // deno-lint-ignore no-control-regex
    return !/[\x00-\x08\x0b\x0e-\x1f\x7f]/.test(text);
  } catch {
    return false;
  }
}

/** Bytes after the header of a WAV file, and how many belong to its data; all where there is no header. */
function withoutHeader(bytes: Uint8Array): { head: Uint8Array; left: number } {
  if (bytes.length === 0) throw refusal("it is empty");
  if (isText(bytes)) throw refusal("it is text");
  const tag = new TextDecoder("latin1").decode(bytes.subarray(0, 4));
  if (/^(fLaC|OggS|ID3|NIST)/.test(tag)) throw refusal(`it is a file that begins with ${tag}`);
  if (tag !== "RIFF") return { head: bytes, left: Infinity };
  // The data may be endless: what is stated in the header counts, not what has come.
  const source = { ...bytesSource(bytes, "standard input"), size: Number.MAX_SAFE_INTEGER };
  let header;
  try {
    header = readWavHeader(source);
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
  const { encoding, width, channels, sampleRate, start, frames } = header;
  if (encoding !== "integer" || width !== 2 || channels !== 1 || sampleRate !== 16_000) {
    throw refusal(`${8 * width} bits (${encoding}), ${sampleRate} Hz, ${channels} channels`);
  }
  return { head: bytes.slice(start), left: frames * width };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function samplesIn(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) / 32_768);
}
