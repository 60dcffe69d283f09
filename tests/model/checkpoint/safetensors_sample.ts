// A small safetensors content, for the tests of reading and writing.
import type { SafetensorsEntry } from "../../../model/checkpoint/safetensors.ts";

/** Bytes of a typed array. */
export const bytesOfArray = (values: Float32Array | BigInt64Array | Int32Array) =>
  new Uint8Array(values.buffer);

/** Tensors whose bytes differ, with a scalar, an empty one, odd names and an odd size in between. */
export function sample(): Map<string, SafetensorsEntry> {
  return new Map<string, SafetensorsEntry>([
    ["lm_head.weight", { dtype: "F32", shape: [2, 1], data: bytesOfArray(Float32Array.of(-1.5, 2)) }],
    ["odd", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ["targets", { dtype: "I64", shape: [2], data: bytesOfArray(BigInt64Array.of(-7n, 5n)) }],
    ["3", { dtype: "F32", shape: [], data: bytesOfArray(Float32Array.of(0.25)) }],
    ['"quoted": {\\}', { dtype: "F16", shape: [0, 4], data: new Uint8Array(0) }],
    ["__proto__", { dtype: "I32", shape: [1, 1, 1], data: bytesOfArray(Int32Array.of(-9)) }],
  ]);
}
