// Surgery: closed units are removed, and the gates of the kept ones multiplied into weights, so that the compact model
// computes the same as the model with these gates. Norms over gated channels run over the open ones only, so that removing
// channels does not change their statistics. A sub-layer that loses all its units keeps its output bias.

import type { Checkpoint, Weight } from "../model/checkpoint/read.ts";
import type { ModelConfig } from "../model/config.ts";
import { unitCounts } from "../model/costs.ts";
import { withoutPrefix } from "../model/families.ts";
import { slicesOf } from "../model/unit_slices.ts";
import type { Choice, KeptUnits } from "./choose.ts";
import { type UnitGroup, unitGroups, withCounts } from "./groups.ts";
import { tensorOf } from "./tensors.ts";

/** The parts of a model that surgery works on. */
export type SurgeryModel = Pick<Checkpoint, "config" | "head" | "tensors">;

/** Kept entries of an axis, with their factors; null for all. */
type Axis = { readonly kept: readonly number[]; readonly factors: readonly number[] | null } | null;

/**
 * Removes units from a model, which may be compact already.
 *
 * @param model Model on the host, its tensors with or without the prefix of its type.
 * @param choice Units to keep by group, with their gates; groups without an entry stay whole.
 * @returns The compact model, with the same names and order of tensors. Unchanged tensors are the same objects; empty
 * tensors are omitted.
 * @throws {RangeError} If a group is unknown or would lose too many units, if indices do not rise below its number of units,
 * or if a gate is not above 0.
 * @throws {TypeError} If a tensor is missing.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "../model/checkpoint/read.ts";
 * import { compact } from "./surgery.ts";
 *
 * const model = await readCheckpoint("tests/testdata/base");
 * const { config } = compact(model, new Map([["heads.1", { indices: [0, 2], gates: [1, 0.9] }]]));
 * console.log(config.num_attention_heads); // [3, 2, 3]
 * ```
 */
export function compact(model: SurgeryModel, choice: Choice): SurgeryModel {
  const { config, head } = model;
  const all = new Map(unitGroups(config).map((group) => [group.name, group]));
  const cuts = new Map<string, [Axis, Axis]>();
  const groups = [...choice].map(([name, units]) => {
    const group = all.get(name);
    if (!group) throw new RangeError(`Cannot cut ${name} as the model must have these units: it does not`);
    check(group, units);
    for (const { tensor, axis, width, foldsGate } of slicesOf(config, group)) {
      tensorOf(model, tensor);
      const axes = cuts.get(tensor) ?? [null, null];
      axes[axis] = {
        kept: entriesOf(units.indices, width, (index, n) => index * width + n),
        factors: foldsGate ? entriesOf(units.gates, width, Math.fround) : null,
      };
      cuts.set(tensor, axes);
    }
    return group;
  });
  const tensors = new Map<string, Weight>();
  for (const [name, weight] of model.tensors) {
    const axes = cuts.get(withoutPrefix(name));
    const result = axes ? cut(weight, axes) : weight;
    if (result.data.length > 0) tensors.set(name, result);
  }
  return { config: compactConfig(config, groups, choice), head, tensors };
}

/**
 * Architecture of a model after surgery.
 *
 * @param config Architecture before surgery.
 * @param groups Groups of the choice.
 * @param choice Units to keep.
 */
export function compactConfig(
  config: ModelConfig,
  groups: readonly UnitGroup[],
  choice: Choice,
): ModelConfig {
  const counts = groups.map(({ name }) => choice.get(name)!.indices.length);
  const { conv, heads, ffn } = withCounts(unitCounts(config), groups, counts);
  const remaining_heads = config.remaining_heads?.map((dense, layer) => {
    const kept = choice.get(`heads.${layer}`);
    return kept ? kept.indices.map((i) => dense[i]!) : dense;
  }) ?? null;
  return { ...config, conv_dim: conv, num_attention_heads: heads, intermediate_size: ffn, remaining_heads };
}

function check({ name, units, least }: UnitGroup, { indices, gates }: KeptUnits): void {
  const refuse = (rule: string, found: string | number): never => {
    throw new RangeError(`Cannot cut ${name} as ${rule}: ${found}`);
  };
  if (indices.length < least) refuse(`it must keep ${least}`, `the choice keeps ${indices.length}`);
  if (gates.length !== indices.length) {
    refuse(`each of ${indices.length} kept units must have a gate`, `there are ${gates.length}`);
  }
  indices.forEach((index, i) => {
    if (!Number.isInteger(index) || index <= (indices[i - 1] ?? -1) || index >= units) {
      refuse(`indices must rise below ${units}`, `index ${i} is ${index}`);
    }
  });
  gates.forEach((gate, i) => {
    if (!(Math.fround(gate) > 0 && gate < Infinity)) {
      refuse("the gate of a kept unit must be above 0", `unit ${indices[i]} has ${gate}`);
    }
  });
}

/** Values of the `width` entries of every unit: f of the unit's value and the index of the entry in the unit. */
function entriesOf(values: readonly number[], width: number, f: (x: number, n: number) => number): number[] {
  return values.flatMap((x) => Array.from({ length: width }, (_, n) => f(x, n)));
}

/** The kept entries of the first two axes, times their factors. */
function cut({ shape, data }: Weight, [rows, columns]: [Axis, Axis]): Weight {
  const [height, width = 1, ...rest] = shape as [number, ...number[]];
  const inner = rest.reduce((size, n) => size * n, 1);
  const down = rows?.kept ?? Array.from({ length: height }, (_, i) => i);
  const across = columns?.kept ?? Array.from({ length: width }, (_, i) => i);
  const result = new Float32Array(down.length * across.length * inner);
  let to = 0;
  down.forEach((row, i) => {
    across.forEach((column, j) => {
      const factor = (rows?.factors?.[i] ?? 1) * (columns?.factors?.[j] ?? 1);
      const from = (row * width + column) * inner;
      for (let n = 0; n < inner; n++) result[to++] = factor * data[from + n]!;
    });
  });
  const extents = [down.length, across.length, ...rest];
  return { shape: extents.slice(0, shape.length), data: result };
}
