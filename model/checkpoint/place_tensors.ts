// Checks tensors of files and converts them to float32 weights.
import type { Weight } from "./types.ts";
import { printable } from "../../files/printable.ts";
import type { ParameterSpec } from "../parameter_specs.ts";
import { type SafetensorsEntry, toFloat32 } from "./safetensors.ts";

/** A tensor of a file. */
export interface FileTensor {
  /** File name for error messages. */
  readonly file: string;
  /** Name in the file. */
  readonly name: string;
  /** Dtype, shape and bytes. */
  readonly entry: SafetensorsEntry;
}

/**
 * Checks a tensor and adds it to the weights, split along the first axis if it holds several.
 *
 * @param tensor The tensor.
 * @param specs What it holds, concatenated along the first axis.
 * @param tensors Receives the weights.
 * @throws {TypeError} If its shape or dtype is wrong.
 * @throws {RangeError} If a value is not finite.
 */
export function placeTensors(
  tensor: FileTensor,
  specs: readonly ParameterSpec[],
  tensors: Map<string, Weight>,
): void {
  const { file, name, entry } = tensor;
  const [first] = specs as readonly [ParameterSpec];
  const rows = specs.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const expected = formatShape([rows, ...first.shape.slice(1)]);
  if (formatShape(entry.shape) !== expected) {
    const found = `it is ${printable(formatShape(entry.shape))}`;
    throw new TypeError(`Cannot load ${file} as ${printable(name)} must be ${expected}: ${found}`);
  }
  const values = valuesOf(tensor);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const found = `${printable(name)} has ${values[i]} at index ${i}`;
    throw new RangeError(`Cannot load ${file} as weights must be finite: ${found}`);
  }
  let at = 0;
  for (const { name: key, shape } of specs) {
    tensors.set(key, { shape, data: values.subarray(at, at += sizeOf(shape)) });
  }
}

/** Values of a tensor in float32; a view of the file if it is F32 and aligned. @throws {TypeError} If it is not a float. */
export function valuesOf({ file, name, entry }: FileTensor): Float32Array<ArrayBuffer> {
  const { dtype, data } = entry;
  if (!["F32", "F16", "BF16", "F64"].includes(dtype)) {
    const rule = "weights must be F32, F16, BF16 or F64";
    throw new TypeError(`Cannot load ${file} as ${rule}: ${printable(name)} is ${dtype}`);
  }
  const { buffer, byteOffset, byteLength } = data;
  if (dtype === "F32" && byteOffset % 4 === 0 && buffer instanceof ArrayBuffer) {
    return new Float32Array(buffer, byteOffset, byteLength / 4);
  }
  return toFloat32(entry);
}

/** A shape for an error message: `[2, 3]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
