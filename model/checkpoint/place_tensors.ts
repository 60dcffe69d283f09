import type { Weight } from "./types.ts";
import type { ModelConfig } from "../config.ts";
import { printable } from "./json_fields.ts";
import type { ParameterSpec } from "../parameter_specs.ts";
import { type SafetensorsEntry, toFloat32 } from "./safetensors.ts";

/** A tensor of a file. */
export interface Located {
  /** What to call the file in errors. */
  readonly file: string;
  /** Name as written. */
  readonly name: string;
  /** Its bytes. */
  readonly entry: SafetensorsEntry;
}

/**
 * Checks a tensor and puts its numbers where they belong.
 *
 * @param located The tensor.
 * @param specs What it holds, one after the other along the first axis.
 * @param tensors Gets them.
 * @throws {TypeError} If its shape or dtype is another one.
 * @throws {RangeError} If a number is not finite.
 */
export function placeTensors(
  located: Located,
  specs: readonly ParameterSpec[],
  tensors: Map<string, Weight>,
): void {
  const { file, name, entry } = located;
  const [first] = specs as readonly [ParameterSpec];
  const rows = specs.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const expected = showSizes([rows, ...first.shape.slice(1)]);
  if (showSizes(entry.shape) !== expected) {
    const found = `it is ${printable(showSizes(entry.shape))}`;
    throw new TypeError(`Cannot load ${file} as ${printable(name)} must be ${expected}: ${found}`);
  }
  const numbers = valuesOf(located);
  for (let i = 0; i < numbers.length; i++) {
    if (Number.isFinite(numbers[i])) continue;
    const found = `${printable(name)} has ${numbers[i]} at number ${i}`;
    throw new RangeError(`Cannot load ${file} as weights must be finite: ${found}`);
  }
  let at = 0;
  for (const { name: key, shape } of specs) {
    tensors.set(key, { shape, data: numbers.subarray(at, at += sizeOf(shape)) });
  }
}

/** Numbers of a tensor in float32; a view of the file where they are that and aligned. @throws {TypeError} */
export function valuesOf({ file, name, entry }: Located): Float32Array<ArrayBuffer> {
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

/** DPHuBERT's files lack a sub-layer that lost all its units, output bias included: that bias is 0. */
export function fillEmptied(
  config: ModelConfig,
  specs: ReadonlyMap<string, ParameterSpec>,
  tensors: Map<string, Weight>,
  notes: string[],
): void {
  for (let j = 0; j < config.num_hidden_layers; j++) {
    for (
      const [units, module, output] of [
        [config.num_attention_heads[j], `encoder.layers.${j}.attention`, "out_proj"],
        [config.intermediate_size[j], `encoder.layers.${j}.feed_forward`, "output_dense"],
      ] as const
    ) {
      if (units !== 0 || [...tensors.keys()].some((key) => key.startsWith(`${module}.`))) continue;
      for (const { name, shape } of specs.values()) {
        if (!name.startsWith(`${module}.`) || name.endsWith(".rel_attn_embed.weight")) continue;
        tensors.set(name, { shape, data: new Float32Array(sizeOf(shape)) });
      }
      notes.push(`${module} has no units and no ${output}.bias, which is taken as 0`);
    }
  }
}

/** Sizes as errors print them: `[2, 3]`. */
export function showSizes(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
