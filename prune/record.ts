// espalier.json, a file of every compact model: how it was pruned, from what model, and which units it kept.

import type { ModelConfig } from "../model/config.ts";
import { unitCounts } from "../model/costs.ts";
import { RECORD_FILE } from "../model/inference/model_files.ts";
import { type Choice, keptCounts } from "./choose.ts";
import type { Constraint } from "./constraints.ts";
import type { Quantity } from "./cost.ts";
import { unitGroups, type UnitKind } from "./groups.ts";

/** Target and result of a constraint. */
export interface AchievedCost {
  /** Quantity that was counted. */
  readonly quantity: Quantity;
  /** Samples of audio that MACs were counted for. */
  readonly samples: number;
  /** Target share to remove. */
  readonly target_removed: number;
  /** Share removed. */
  readonly removed: number;
  /** Cost of the compact model. */
  readonly cost: number;
  /** Cost of the model that was pruned. */
  readonly base_cost: number;
}

/** One pruning of a model. */
export interface PruneStep {
  /** Version of this program. */
  readonly version: string;
  /** Path or name of the model that was pruned. */
  readonly base_model: string;
  /** `size`, `sep-size`, `mac`, `uniform`, `transformer-only`, `none`. */
  readonly method: string;
  /** Widths were rounded to multiples of it. */
  readonly round_to: number;
  /** One per constraint. */
  readonly constraints: readonly AchievedCost[];
}

/** Kept units of a group. */
export interface RecordedUnits {
  /** Number of units before the first pruning. */
  readonly of: number;
  /** Indices of the kept ones among them, in rising order. */
  readonly kept: readonly number[];
}

/** Content of `espalier.json`: the last pruning, the kept units, and earlier prunings. */
export interface PruneRecord extends PruneStep {
  /** Kept units by group; groups without an entry keep all units. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Prunings before this one, oldest first. */
  readonly earlier: readonly PruneStep[];
}

/** Options of {@linkcode pruneRecord}. */
export interface PruneRecordOptions extends Omit<PruneStep, "constraints"> {
  /** Architecture of the model that was pruned. */
  readonly config: ModelConfig;
  /** Costs and their targets. */
  readonly constraints: readonly Constraint[];
  /** Kept units. */
  readonly choice: Choice;
  /** Record of the model that was pruned, if it had been pruned before. */
  readonly before?: PruneRecord | null;
}

/**
 * The record of a pruning.
 *
 * @throws {RangeError} If the earlier record is of another model.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { pruneRecord } from "./record.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const constraints = constraintsOf(config, { method: "mac", target: 0.01, kinds: ["heads"] });
 * const choice = new Map([["heads.0", { indices: [0, 1, 3], gates: [1, 1, 1] }]]);
 * const options = { version: "0.1.0", base_model: "tiny", method: "mac", round_to: 1 };
 * pruneRecord({ ...options, config, constraints, choice }).units; // { "heads.0": { of: 4, kept: [0, 1, 3] } }
 * ```
 */
export function pruneRecord(options: PruneRecordOptions): PruneRecord {
  const { version, base_model, method, round_to, config, constraints, choice, before = null } = options;
  const units: Record<string, RecordedUnits> = { ...before?.units };
  checkRecordedUnits(units, config, `prune by ${RECORD_FILE}`);
  for (const { name, units: count } of unitGroups(config)) {
    const chosen = choice.get(name);
    if (!chosen) continue;
    const had = units[name];
    units[name] = { of: had?.of ?? count, kept: chosen.indices.map((i) => had?.kept[i] ?? i) };
  }
  const achieved = constraints.map(({ cost, target }): AchievedCost => {
    const kept = keptCounts(config, choice);
    return {
      quantity: cost.quantity,
      samples: cost.samples,
      target_removed: target,
      removed: cost.removed(kept),
      cost: cost.of(kept),
      base_cost: cost.dense,
    };
  });
  return {
    version,
    base_model,
    method,
    round_to,
    constraints: achieved,
    units,
    earlier: before ? [...before.earlier, stepOf(before)] : [],
  };
}

/**
 * Checks that a record belongs to a model.
 *
 * @param units Units of the record.
 * @param config Architecture of the model.
 * @param doing Action for error messages, such as `read a/espalier.json`.
 * @throws {RangeError} If a group has another number of units than recorded; one line that names it.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { checkRecordedUnits } from "./record.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * checkRecordedUnits({ "heads.0": { of: 6, kept: [0, 2, 3, 5] } }, config, "read espalier.json"); // it has four
 * ```
 */
export function checkRecordedUnits(
  units: Readonly<Record<string, RecordedUnits>>,
  config: ModelConfig,
  doing: string,
): void {
  const counts = unitCounts(config);
  for (const [name, { kept }] of Object.entries(units)) {
    const [kind, layer] = name.split(".") as [UnitKind, string];
    const count = counts[kind][Number(layer)] ?? 0;
    if (count === kept.length) continue;
    const found = `${name} has ${count} units, ${kept.length} are recorded`;
    throw new RangeError(`Cannot ${doing} as it must be of the model: ${found}`);
  }
}

function stepOf({ version, base_model, method, round_to, constraints }: PruneStep): PruneStep {
  return { version, base_model, method, round_to, constraints };
}
