// The safetensors format: an 8-byte little-endian header length, a JSON header, then the bytes of
// the tensors, little-endian and row-major, without gaps. https://github.com/huggingface/safetensors

import { printable } from "../../files/printable.ts";
import { isObject } from "./json_fields.ts";
import {
  byteSize,
  isDtype,
  isSizes,
  quote,
  type SafetensorsDtype,
  show,
  view,
} from "./safetensors_format.ts";

// The reference library refuses longer headers.
const MAX_HEADER = 100_000_000;

/**
 * A tensor of a file: `data` holds product(shape) elements of `dtype`, little-endian, row-major.
 * The data of a parsed entry is a view of the bytes of the file.
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
  /** Element type. */
  dtype: SafetensorsDtype;
  /** Shape; `[]` is a scalar. */
  shape: number[];
  /** product(shape) × item size bytes. */
  data: Uint8Array;
};

/**
 * Content of a file: tensors in the order of their bytes, and the strings of `__metadata__`.
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
  /** String by key; `{}` when the header has none, or `null`. */
  metadata: Record<string, string>;
};

/**
 * Parses a safetensors file. Nothing is copied: the data of the entries are views of `bytes`. As in
 * the reference library, holes, overlaps and trailing bytes are errors.
 *
 * @param bytes The whole file.
 * @param name File name for error messages.
 * @returns Tensors by name, in the order of their bytes, and the metadata.
 * @throws {SyntaxError} If the file is not valid; one line with the violated rule.
 *
 * @example
 * ```ts
 * import { parseSafetensors } from "./safetensors.ts";
 * import { encodeSafetensors } from "./safetensors_encode.ts";
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
  const entries = Object.entries(header)
    .filter(([key]) => key !== "__metadata__")
    .map(([key, entry]) => ({ key, ...readEntry(key, entry, fail) }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const tensors = new Map<string, SafetensorsEntry>();
  let offset = 0;
  for (const { key, dtype, shape, start, end } of entries) {
    if (start !== offset) {
      fail(
        "tensors must be contiguous, without holes or overlaps",
        `${quote(key)} starts at ${start}, the previous one ends at ${offset}`,
      );
    }
    if (end > body.length) {
      fail("offsets must lie within the file", `${quote(key)} ends at ${end} of ${body.length} bytes`);
    }
    tensors.set(key, { dtype, shape, data: body.subarray(start, end) });
    offset = end;
  }
  if (offset !== body.length) {
    fail("tensors must fill the file", `the last one ends at ${offset} of ${body.length} bytes`);
  }
  return { tensors, metadata: readMetadata(header, fail) };
}

/**
 * Converts a float tensor to float32. F64 is rounded; F16 and BF16 are exact.
 *
 * @param entry A tensor of dtype F32, F16, BF16 or F64, of any shape.
 * @returns A new array of product(shape) elements.
 * @throws {TypeError} If the dtype is not supported.
 *
 * @example
 * ```ts
 * import { toFloat32 } from "./safetensors.ts";
 *
 * toFloat32({ dtype: "BF16", shape: [1], data: Uint8Array.of(0x80, 0x3f) }); // [1]
 * ```
 */
export function toFloat32(entry: SafetensorsEntry): Float32Array<ArrayBuffer> {
  // A copy starts at offset 0, which typed arrays of larger elements need.
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
 * Converts an integer tensor to int32.
 *
 * @param entry A tensor of dtype I32, I64 or U8, of any shape.
 * @returns A new array of product(shape) elements.
 * @throws {TypeError} If the dtype is not supported.
 * @throws {RangeError} If an I64 value does not fit in 32 bits.
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
          throw new RangeError(`Cannot read integers as each must fit in 32 bits: element ${i} is ${value}`);
        }
        return Number(value);
      });
    default:
      throw new TypeError(`Cannot read integers as the dtype must be I32, I64 or U8: it is ${entry.dtype}`);
  }
}

type Fail = (rule: string, found: string) => never;

function readHeader(bytes: Uint8Array, fail: Fail): string {
  if (bytes.length < 8) {
    fail("a file starts with 8 bytes of header length", `it has ${bytes.length} bytes`);
  }
  const length = view(bytes).getBigUint64(0, true);
  if (length > bytes.length - 8) {
    fail("the header must lie within the file", `its length is ${length}, ${bytes.length - 8} bytes follow`);
  }
  if (length > MAX_HEADER) {
    fail(`the header has at most ${MAX_HEADER} bytes`, `its length is ${length}`);
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
  // The reference library reads null as no metadata.
  if (metadata === null) return {};
  if (!isObject(metadata)) {
    return fail("__metadata__ must be an object", show(metadata));
  }
  const pairs = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return [key, value] as const;
    return fail("__metadata__ must hold strings", `${quote(key)} is ${show(value)}`);
  });
  return Object.fromEntries(pairs);
}

// The first key that appears twice in one object. The text must be valid JSON; JSON.parse keeps the last of
// equal keys.
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
