// The active submodel: a pruning step without the units whose gates are closed. The outputs of these units and the
// gradients of their weights are zero, so that GEMMs without them give the same results in less time.

import { indexSelectAll } from "../kernels/index_select.ts";
import type { ModelConfig } from "../model/config.ts";
import { paddedUnits } from "../model/padded_widths.ts";
import { Weights } from "../model/weights.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { slicesOf } from "../model/unit_slices.ts";
import type { Choice } from "./choose.ts";
import type { UnitGroup } from "./groups.ts";
import { compactConfig } from "./surgery.ts";

/** The units of the active submodel: the open ones, and closed ones as padding to the widths of the device. */
export interface ActiveUnits {
  /** Architecture of the active submodel. */
  readonly config: ModelConfig;
  /** Groups with at least one active unit, with their active units. */
  readonly groups: readonly UnitGroup[];
  /** Gates of the active units by group. */
  readonly gates: ReadonlyMap<string, Float64Array>;
  /** Indices of the active units among all units of the group, by group. */
  readonly indices: ReadonlyMap<string, readonly number[]>;
}

/**
 * Finds the units of the active submodel. A group of convolution channels that are all closed stays whole, since a layer
 * must have at least one channel.
 *
 * @param config Architecture of the whole model.
 * @param groups Groups that have gates.
 * @param values Gates by group.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitGroups } from "./groups.ts";
 * import { activeUnits } from "./active_submodel.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const groups = unitGroups(config, ["heads"]);
 * const values = new Map(groups.map(({ name }) => [name, [0, 0.5, 0, 1]]));
 * activeUnits(config, groups, values).indices.get("heads.0"); // [1, 3]
 * ```
 */
export function activeUnits(
  config: ModelConfig,
  groups: readonly UnitGroup[],
  values: ReadonlyMap<string, ArrayLike<number>>,
): ActiveUnits {
  const indices = new Map(groups.map(({ name, kind, least, units }) => {
    const gates = values.get(name)!; // loops, as every step passes here
    let open = 0;
    for (let i = 0; i < units; i++) if (gates[i]! > 0) open++;
    let spare = paddedUnits(kind, open) - open;
    const active: number[] = [];
    for (let i = 0; i < units; i++) {
      if (gates[i]! > 0 || open < least || (gates[i] === 0 && spare-- > 0)) active.push(i);
    }
    return [name, active] as const;
  }));
  const gates = new Map([...indices].map(([name, active]) => {
    const all = values.get(name)!;
    const ofActive = new Float64Array(active.length);
    for (let i = 0; i < active.length; i++) ofActive[i] = all[active[i]!]!;
    return [name, ofActive] as const;
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

/** Elements of whole weights that are selected from at once: all layers of a small model, one layer of a large one. */
const SELECT_AT_ONCE = 2 ** 22;

/** Names of weights in sets of consecutive layers, each with up to `most` elements. */
function layerSets(weights: Weights, names: readonly string[], most: number): string[][] {
  const layers = Map.groupBy(names, (name) => /^.*?layers\.\d+\./.exec(name)?.[0] ?? "");
  const sets: string[][] = [];
  let setSize = Infinity;
  for (const layer of layers.values()) {
    const layerSize = layer.reduce((sum, name) => sum + weights.get(name).size, 0);
    if (setSize + layerSize > most) {
      sets.push([]);
      setSize = 0;
    }
    sets.at(-1)!.push(...layer);
    setSize += layerSize;
  }
  return sets;
}

/**
 * The active submodel. Its weights are selected from those of the whole model on the tape when they are read, so that
 * gradients reach the whole weights. In a large model each layer is selected separately: its gradients are freed before
 * those of the next layer, and with gradient checkpointing its weights too. Call it inside {@linkcode Gpu.scope}.
 *
 * @param model The whole model.
 * @param groups Groups of the whole model that have gates.
 * @param open Result of {@linkcode activeUnits}.
 * @param most Elements of whole weights that are selected from at once.
 */
export function activeSubmodel(
  model: SpeechModel,
  groups: readonly UnitGroup[],
  open: ActiveUnits,
  most: number = SELECT_AT_ONCE,
): SpeechModel {
  const { gpu, weights, head } = model;
  const active = new Weights(gpu);
  for (const name of weights.names) active.set(name, weights.get(name));
  const kept = new Map<string, { rows?: number[]; columns?: number[] }>();
  for (const group of groups) {
    const units = open.indices.get(group.name)!;
    if (units.length === group.units || units.length === 0) continue;
    for (const { tensor, axis, width } of slicesOf(model.config, group)) {
      const entries: number[] = []; // loops, as a step has tens of thousands of entries
      for (const unit of units) for (let n = 0; n < width; n++) entries.push(unit * width + n);
      // Input channels are the last axis on the device.
      kept.set(tensor, { ...kept.get(tensor), ...(axis === 0 ? { rows: entries } : { columns: entries }) });
    }
  }
  for (const names of layerSets(weights, weights.names.filter((name) => kept.has(name)), most)) {
    active.derive(
      names,
      () => indexSelectAll(names.map((name) => ({ x: weights.get(name), ...kept.get(name) }))),
    );
  }
  return new SpeechModel(gpu, { config: open.config, head, weights: active });
}
