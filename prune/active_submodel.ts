// A pruning step without the units whose gates are closed: their outputs are zero, and so are the gradients of all that
// belongs to them, so that leaving them out of every product changes nothing but the time.

import { indexSelectAll } from "../kernels/index_select.ts";
import type { ModelConfig } from "../model/config.ts";
import { paddedUnits } from "../model/padded_widths.ts";
import { Weights } from "../model/weights.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { slicesOf } from "../model/unit_slices.ts";
import type { Choice } from "./choose.ts";
import type { UnitGroup } from "./groups.ts";
import { compactConfig } from "./surgery.ts";

/** The units that take part in a step: the open ones, and closed ones that fill up a width as the device has it. */
export interface OpenUnits {
  /** Architecture of these units alone. */
  readonly config: ModelConfig;
  /** Groups that have any, with as many units as take part. */
  readonly groups: readonly UnitGroup[];
  /** Their gates by group. */
  readonly gates: ReadonlyMap<string, Float64Array>;
  /** Their numbers among all units of the group, by group. */
  readonly indices: ReadonlyMap<string, readonly number[]>;
}

/**
 * Finds the units that take part. A group of convolution channels that are all closed stays whole, since a layer must
 * have one.
 *
 * @param config Architecture of the whole model.
 * @param groups Groups that have gates.
 * @param values Gates by group.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitGroups } from "./groups.ts";
 * import { openUnits } from "./active_submodel.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const groups = unitGroups(config, ["heads"]);
 * const values = new Map(groups.map(({ name }) => [name, [0, 0.5, 0, 1]]));
 * openUnits(config, groups, values).indices.get("heads.0"); // [1, 3]
 * ```
 */
export function openUnits(
  config: ModelConfig,
  groups: readonly UnitGroup[],
  values: ReadonlyMap<string, ArrayLike<number>>,
): OpenUnits {
  const indices = new Map(groups.map(({ name, kind, least, units }) => {
    const gates = values.get(name)!;
    const all = Array.from({ length: units }, (_, i) => i);
    const open = all.filter((i) => gates[i]! > 0);
    const spare = paddedUnits(kind, open.length) - open.length;
    const filled = [...open, ...all.filter((i) => gates[i] === 0).slice(0, spare)].sort((i, j) => i - j);
    return [name, open.length < least ? all : filled] as const;
  }));
  const gates = new Map([...indices].map(([name, open]) => {
    return [name, Float64Array.from(open, (i) => values.get(name)![i]!)] as const;
  }));
  const choice: Choice = new Map(
    [...indices].map(([name, open]) => [name, { indices: open, gates: [] }] as const),
  );
  return {
    config: compactConfig(config, groups, choice),
    groups: groups.flatMap((group) => {
      const units = indices.get(group.name)!.length;
      return units > 0 ? [{ ...group, units }] : [];
    }),
    gates,
    indices,
  };
}

/** Numbers of whole weights whose rest is selected at once: all layers of a small model, one of a large model. */
const TOGETHER = 2 ** 22;

/** Names of weights in sets that are selected at once: those of layers that follow each other, up to `most` numbers. */
function together(weights: Weights, names: readonly string[], most: number): string[][] {
  const layers = Map.groupBy(names, (name) => /^.*?layers\.\d+\./.exec(name)?.[0] ?? "");
  const sets: string[][] = [];
  let size = Infinity;
  for (const layer of layers.values()) {
    const own = layer.reduce((sum, name) => sum + weights.get(name).size, 0);
    if (size + own > most) {
      sets.push([]);
      size = 0;
    }
    sets.at(-1)!.push(...layer);
    size += own;
  }
  return sets;
}

/**
 * The model of the open units, its weights selected on the tape when they are read: gradients arrive at those of the whole
 * model. Of a large one each layer is selected by itself, so that its gradients are gone before the next layer's come, and
 * all of it is gone where layers are computed again. Call it inside {@linkcode Gpu.scope}.
 *
 * @param model The whole model.
 * @param groups Groups of the whole model that have gates.
 * @param open What {@linkcode openUnits} found.
 * @param most Numbers of whole weights whose rest is selected at once.
 */
export function activeSubmodel(
  model: SpeechModel,
  groups: readonly UnitGroup[],
  open: OpenUnits,
  most: number = TOGETHER,
): SpeechModel {
  const { gpu, weights, head } = model;
  const thin = new Weights(gpu);
  for (const name of weights.names) thin.set(name, weights.get(name));
  const kept = new Map<string, { rows?: number[]; columns?: number[] }>();
  for (const group of groups) {
    const units = open.indices.get(group.name)!;
    if (units.length === group.units || units.length === 0) continue;
    for (const { tensor, axis, width } of slicesOf(model.config, group)) {
      const entries: number[] = []; // pushed one by one: a step has tens of thousands of them
      for (const unit of units) for (let n = 0; n < width; n++) entries.push(unit * width + n);
      // Input channels are the last axis on the device.
      kept.set(tensor, { ...kept.get(tensor), ...(axis === 0 ? { rows: entries } : { columns: entries }) });
    }
  }
  for (const names of together(weights, weights.names.filter((name) => kept.has(name)), most)) {
    thin.derive(
      names,
      () => indexSelectAll(names.map((name) => ({ x: weights.get(name), ...kept.get(name) }))),
    );
  }
  return new SpeechModel(gpu, { config: open.config, head, weights: thin });
}
