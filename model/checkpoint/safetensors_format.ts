// What reading and writing safetensors files have in common.
import { printable } from "./json_fields.ts";

/**
 * Name of a number format, as the header writes it.
 *
 * @example
 * ```ts
 * import type { SafetensorsDtype } from "./safetensors_format.ts";
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

/** Bytes of a tensor. */
export function byteSize(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, ITEM_SIZES[dtype]);
}

/** Whether a file's dtype is one that is known. */
export function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(ITEM_SIZES, name);
}

/** Whether something is a shape. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Whether something is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A view of bytes by their numbers. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A name as errors print it. */
export function quote(name: string): string {
  return printable(JSON.stringify(name));
}

/** Something a file says, as errors print it. */
export function show(value: unknown): string {
  if (value === undefined) return "missing";
  const flat = !Array.isArray(value) || value.every((item) => typeof item !== "object");
  return flat && !isObject(value) ? printable(JSON.stringify(value)) : "a nested value";
}
