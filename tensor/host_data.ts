import { roundUp } from "./align.ts";
import type { DType, TensorData } from "./dtype.ts";

/** Arrays on the host that a tensor can be made of: f32, f16 or i32. */
export type HostArray = Float32Array | Float16Array | Int32Array;

/** Element type of the tensor that an array makes. */
export function dtypeOf(data: HostArray): DType {
  if (data instanceof Int32Array) return "i32";
  return data instanceof Float32Array ? "f32" : "f16";
}

/** Bytes of an array, padded to a multiple of 4, as a buffer is written. */
export function inWords(data: HostArray): ArrayBufferView<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data as HostArray & ArrayBufferView<ArrayBuffer>;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength % 4 === 0) return bytes;
  const whole = new Uint8Array(roundUp(byteLength, 4));
  whole.set(bytes);
  return whole;
}

/** Elements from a tensor's bytes; those of f16 as f32. */
export function typedArrayOf(bytes: ArrayBuffer, dtype: DType): TensorData {
  if (dtype === "f16") return Float32Array.from(new Float16Array(bytes));
  return dtype === "i32" ? new Int32Array(bytes) : new Float32Array(bytes);
}
