// The safetensors format: an 8-byte little-endian header length, a JSON header, then the bytes of
// the tensors, little-endian and row-major, without gaps. https://github.com/huggingface/safetensors

// The reference library refuses longer headers.
const LARGEST_HEADER = 100_000_000;

/**
 * Name of a number format, as the header writes it.
 *
 * @example
 * ```ts
 * import type { SafetensorsDtype } from "./safetensors.ts";
 *
 * const dtype: SafetensorsDtype = "F32";
 * console.log(dtype);
 * ```
 */
export type SafetensorsDtype =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E4M3"
  | "F8_E5M2"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "F64"
  | "I64"
  | "U64";

/**
 * One tensor of a file: `data` holds product(shape) numbers of `dtype`, little-endian, row-major.
 * A parsed entry's data are a view of the file's bytes, not a copy.
 *
 * @example
 * ```ts
 * import type { SafetensorsEntry } from "./safetensors.ts";
 *
 * const bias: SafetensorsEntry = {
 *   dtype: "F32",
 *   shape: [2],
 *   data: new Uint8Array(Float32Array.of(1, 2).buffer),
 * };
 * console.log(bias.data.length); // 8 bytes
 * ```
 */
export type SafetensorsEntry = {
  /** Format of the numbers. */
  dtype: SafetensorsDtype;
  /** Sizes of the axes; `[]` is a scalar. */
  shape: number[];
  /** product(shape) × item size bytes. */
  data: Uint8Array;
};

/**
 * Content of a file: tensors in the order of their bytes, and the free text of `__metadata__`.
 *
 * @example
 * ```ts
 * import type { Safetensors } from "./safetensors.ts";
 *
 * const empty: Safetensors = { tensors: new Map(), metadata: {} };
 * console.log(empty.tensors.size); // 0
 * ```
 */
export type Safetensors = {
  /** Tensor by name. */
  tensors: Map<string, SafetensorsEntry>;
  /** String by key; `{}` when the header has none. */
  metadata: Record<string, string>;
};

/**
 * Reads a safetensors file. Nothing is copied: the data of the entries are views of `bytes`. The
 * rules are those of the reference library, so holes, overlaps and trailing bytes are refused.
 *
 * @param bytes The whole file.
 * @param name What to call it in errors, such as its path.
 * @returns Tensors by name, in the order of their bytes, and the metadata.
 * @throws {SyntaxError} If the bytes are not a valid file; one line naming the rule.
 *
 * @example
 * ```ts
 * import { encodeSafetensors, parseSafetensors } from "./safetensors.ts";
 *
 * const file = encodeSafetensors(
 *   new Map([["x", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }]]),
 * );
 * parseSafetensors(file, "x.safetensors").tensors.get("x")?.shape; // [3]
 * ```
 */
export function parseSafetensors(bytes: Uint8Array, name = "the bytes"): Safetensors {
  const fail = (rule: string, found: string): never => {
    throw new SyntaxError(`Cannot read ${name} as safetensors as ${rule}: ${found}`);
  };
  const text = readHeader(bytes, fail);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    fail("the header must be JSON", printable((error as Error).message));
  }
  if (!isObject(header)) {
    return fail("the header must be an object", printable(text));
  }
  const repeated = repeatedKey(text);
  if (repeated !== null) {
    fail("no key may appear twice in the header", quote(repeated));
  }
  const body = bytes.subarray(8 + Number(view(bytes).getBigUint64(0, true)));
  const placed = Object.entries(header)
    .filter(([key]) => key !== "__metadata__")
    .map(([key, entry]) => ({ key, ...readEntry(key, entry, fail) }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const tensors = new Map<string, SafetensorsEntry>();
  let at = 0;
  for (const { key, dtype, shape, start, end } of placed) {
    if (start !== at) {
      fail(
        "tensors must follow each other without hole or overlap",
        `${quote(key)} starts at ${start}, the one before ends at ${at}`,
      );
    }
    if (end > body.length) {
      fail("offsets must lie within the file", `${quote(key)} ends at ${end} of ${body.length} bytes`);
    }
    tensors.set(key, { dtype, shape, data: body.subarray(start, end) });
    at = end;
  }
  if (at !== body.length) {
    fail("tensors must fill the file", `the last one ends at ${at} of ${body.length} bytes`);
  }
  return { tensors, metadata: readMetadata(header, fail) };
}

/**
 * Numbers of a float tensor in float32. F64 is rounded; F16 and BF16 are exact.
 *
 * @param entry A tensor of dtype F32, F16, BF16 or F64, of any shape.
 * @returns A new array of product(shape) numbers.
 * @throws {TypeError} If the dtype is another one.
 *
 * @example
 * ```ts
 * import { toFloat32 } from "./safetensors.ts";
 *
 * toFloat32({ dtype: "BF16", shape: [1], data: Uint8Array.of(0x80, 0x3f) }); // [1]
 * ```
 */
export function toFloat32(entry: SafetensorsEntry): Float32Array<ArrayBuffer> {
  // A copy starts at offset 0, so that typed arrays of wider numbers can be laid over it.
  const { buffer } = entry.data.slice();
  switch (entry.dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return Float32Array.from(new Float16Array(buffer));
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    default:
      throw new TypeError(
        `Cannot read floats as the dtype must be F32, F16, BF16 or F64: it is ${entry.dtype}`,
      );
  }
}

/**
 * Numbers of an integer tensor in int32.
 *
 * @param entry A tensor of dtype I32, I64 or U8, of any shape.
 * @returns A new array of product(shape) numbers.
 * @throws {TypeError} If the dtype is another one.
 * @throws {RangeError} If an I64 number does not fit in 32 bits.
 *
 * @example
 * ```ts
 * import { toInt32 } from "./safetensors.ts";
 *
 * toInt32({ dtype: "U8", shape: [2], data: Uint8Array.of(7, 255) }); // [7, 255]
 * ```
 */
export function toInt32(entry: SafetensorsEntry): Int32Array<ArrayBuffer> {
  const { buffer } = entry.data.slice();
  switch (entry.dtype) {
    case "I32":
      return new Int32Array(buffer);
    case "U8":
      return Int32Array.from(new Uint8Array(buffer));
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer), (value, i) => {
        if (BigInt.asIntN(32, value) !== value) {
          throw new RangeError(`Cannot read integers as each must fit in 32 bits: number ${i} is ${value}`);
        }
        return Number(value);
      });
    default:
      throw new TypeError(`Cannot read integers as the dtype must be I32, I64 or U8: it is ${entry.dtype}`);
  }
}

/**
 * Writes a safetensors file. The bytes of the tensors stand in the order of the map; the header
 * is padded with spaces to a multiple of 8 bytes, as the reference library does.
 *
 * @param tensors Tensor by name.
 * @param metadata Free text for `__metadata__`, left out when empty; Hugging Face's files carry
 * `{ format: "pt" }`.
 * @returns The whole file.
 * @throws {TypeError} If a tensor's data do not hold product(shape) numbers, its shape is none, or
 * its name is `__metadata__`.
 *
 * @example
 * ```ts
 * import { encodeSafetensors } from "./safetensors.ts";
 *
 * const data = new Uint8Array(Float32Array.of(1, 2).buffer);
 * const file = encodeSafetensors(
 *   new Map([["lm_head.bias", { dtype: "F32", shape: [2], data }]]),
 *   { format: "pt" },
 * );
 * console.log(file.length % 8); // 0
 * ```
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return concatenated(encodeParts(tensors, metadata));
}

/**
 * What {@linkcode encodeSafetensors} writes, without a copy of the tensors: the header, then the bytes of each.
 *
 * @throws {TypeError} As {@linkcode encodeSafetensors}.
 */
export function encodeParts(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header = encodeHeader(tensors, metadata);
  const parts = [...tensors].map(([name, { dtype, shape, data }]) => {
    const size = byteSize(dtype, shape);
    if (size === data.length) return data;
    throw new TypeError(
      `Cannot write ${quote(name)} as safetensors as shape and data must agree: ${dtype} ${
        show(shape)
      } takes ${size} bytes, data are ${data.length}`,
    );
  });
  return [header, ...parts];
}

/**
 * What a safetensors file starts with; the bytes of the tensors follow, in the order of the map.
 *
 * @param tensors Format and shape by name.
 * @param metadata As for {@linkcode encodeSafetensors}.
 * @throws {TypeError} If a shape is none, or a name is `__metadata__`.
 *
 * @example
 * ```ts
 * import { encodeHeader } from "./safetensors.ts";
 *
 * console.log(encodeHeader(new Map([["lm_head.bias", { dtype: "F32", shape: [2] }]])).length); // 72
 * ```
 */
export function encodeHeader(
  tensors: ReadonlyMap<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  // Joined by hand, since an object would move keys that look like integers to the front.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  let end = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const refuse = (why: string) => {
      throw new TypeError(`Cannot write ${quote(name)} as safetensors as ${why}`);
    };
    if (name === "__metadata__") refuse("this name is reserved: it was given to a tensor");
    if (!isSizes(shape)) refuse(`a shape must be a list of whole numbers from 0: it is ${show(shape)}`);
    const data_offsets = [end, end += byteSize(dtype, shape)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + Math.ceil(header.length / 8) * 8).fill(0x20, 8);
  view(bytes).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(header, 8);
  return bytes;
}

/** Bytes one after the other. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Bytes per number of every dtype that is read and written. */
const ITEM_SIZES: Readonly<Record<SafetensorsDtype, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

type Fail = (rule: string, found: string) => never;

function readHeader(bytes: Uint8Array, fail: Fail): string {
  if (bytes.length < 8) {
    fail("a file starts with 8 bytes of header length", `it has ${bytes.length} bytes`);
  }
  const length = view(bytes).getBigUint64(0, true);
  if (length > bytes.length - 8) {
    fail("the header must lie within the file", `its length is ${length}, ${bytes.length - 8} bytes follow`);
  }
  if (length > LARGEST_HEADER) {
    fail(`the header has at most ${LARGEST_HEADER} bytes`, `its length is ${length}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes.subarray(8, 8 + Number(length)));
  } catch {
    return fail("the header must be UTF-8", "invalid bytes");
  }
}

function readEntry(key: string, entry: unknown, fail: Fail) {
  if (!isObject(entry)) {
    return fail("each tensor must be described by an object", `${quote(key)} is ${show(entry)}`);
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !isDtype(dtype)) {
    return fail("the dtype must be known", `${quote(key)} is ${show(dtype)}`);
  }
  if (!isSizes(shape)) {
    return fail("a shape must be a list of whole numbers from 0", `${quote(key)} is ${show(shape)}`);
  }
  const [start, end] = isSizes(offsets) && offsets.length === 2 ? offsets : [];
  if (start === undefined || end === undefined || start > end) {
    return fail("data_offsets must be a start and an end", `${quote(key)} is ${show(offsets)}`);
  }
  if (byteSize(dtype, shape) !== end - start) {
    return fail(
      "shape and offsets must agree",
      `${quote(key)}, ${dtype} ${show(shape)}, takes ${byteSize(dtype, shape)} bytes, has ${end - start}`,
    );
  }
  return { dtype, shape, start, end };
}

function readMetadata(header: Record<string, unknown>, fail: Fail): Record<string, string> {
  if (!Object.hasOwn(header, "__metadata__")) return {};
  const metadata = header["__metadata__"];
  if (!isObject(metadata)) {
    return fail("__metadata__ must be an object", show(metadata));
  }
  const pairs = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return [key, value] as const;
    return fail("__metadata__ must hold strings", `${quote(key)} is ${show(value)}`);
  });
  return Object.fromEntries(pairs);
}

// The first key written twice in one object. The text must be valid JSON, which by itself keeps
// the last of equal keys.
function repeatedKey(text: string): string | null {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") open.push(new Set());
    else if (text[at] === "}") open.pop();
    else if (text[at] === '"') {
      const start = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      let next = at + 1;
      while (" \t\r\n".includes(text[next] ?? "}")) next++;
      if (text[next] !== ":") continue;
      const key: string = JSON.parse(text.slice(start, at + 1));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
}

function byteSize(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, ITEM_SIZES[dtype]);
}

function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(ITEM_SIZES, name);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// What a file says may hold anything: in an error it is one short line of printable ASCII.
function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, " ");
  return line.length > 120 ? line.slice(0, 117) + "..." : line;
}

function quote(name: string): string {
  return printable(JSON.stringify(name));
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const flat = !Array.isArray(value) || value.every((item) => typeof item !== "object");
  return flat && !isObject(value) ? printable(JSON.stringify(value)) : "something nested";
}
