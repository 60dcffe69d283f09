import { roundUp } from "./align.ts";
import type { DType, TensorData } from "./dtype.ts";

/** Numbers that a tensor can be made of. */
export type HostArray = Float32Array | Float16Array | Int32Array;

/** Type of a tensor of such numbers. */
export function dtypeOf(data: HostArray): DType {
  if (data instanceof Int32Array) return "i32";
  return data instanceof Float32Array ? "f32" : "f16";
}

/** Numbers as bytes of whole words, as a buffer is written. */
export function inWords(data: HostArray): ArrayBufferView<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data as HostArray & ArrayBufferView<ArrayBuffer>;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength % 4 === 0) return bytes;
  const whole = new Uint8Array(roundUp(byteLength, 4));
  whole.set(bytes);
  return whole;
}

/** The numbers that a tensor's bytes are. */
export function typedArrayOf(bytes: ArrayBuffer, dtype: DType): TensorData {
  if (dtype === "f16") return Float32Array.from(new Float16Array(bytes));
  return dtype === "i32" ? new Int32Array(bytes) : new Float32Array(bytes);
}
