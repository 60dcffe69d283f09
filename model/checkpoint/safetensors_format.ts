// Dtypes and error messages that reading and writing of safetensors share.
import { printable } from "../../files/printable.ts";
import { show as showValue } from "./json_fields.ts";

/**
 * Name of a dtype, as in the header.
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

/** Bytes per element of every supported dtype. */
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

/** Size of a tensor in bytes. */
export function byteSize(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, ITEM_SIZES[dtype]);
}

/** Whether a dtype is supported. */
export function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(ITEM_SIZES, name);
}

/** Whether a JSON value is a shape. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A DataView of bytes. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A name for an error message. */
export function quote(name: string): string {
  return printable(JSON.stringify(name));
}

/** A JSON value for an error message. */
export function show(value: unknown): string {
  return value === undefined ? "missing" : showValue(value);
}
