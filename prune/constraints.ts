// The constraints of HJ-Pruning's methods (Peng et al. 2023, arXiv 2302.14132): costs and their targets.

import type { ModelConfig } from "../model/config.ts";
import { convFrames, unitCounts } from "../model/costs.ts";
import { type Quantity, UnitCost } from "./cost.ts";
import { UNIT_KINDS, unitGroups, type UnitKind, withCounts } from "./groups.ts";

/** What is constrained: all parameters, those of convolutions and Transformer separately, or MACs. */
export type ConstraintMethod = "size" | "sep-size" | "mac";

/** Samples per second. */
const RATE = 16000;

/** A cost and the share of it to remove. */
export interface Constraint {
  /** The cost. */
  readonly cost: UnitCost;
  /** Share to remove of the cost of the model's present units, 0 to 1. */
  readonly target: number;
  /** Kinds of units that may be removed for it. */
  readonly kinds: readonly UnitKind[];
}

/** Options of {@linkcode constraintsOf}. */
export interface ConstraintOptions {
  /** What is constrained. */
  readonly method: ConstraintMethod;
  /** Share to remove. */
  readonly target: number;
  /** `sep-size`: share of the convolutions' parameters to remove; default: `target`. */
  readonly targetConv?: number;
  /** `sep-size`: share of the other parameters to remove; default: `target`. */
  readonly targetTransformer?: number;
  /** Kinds of units that may be removed; default: all. */
  readonly kinds?: readonly UnitKind[];
  /** Seconds of audio that MACs are counted for; default: 10. */
  readonly seconds?: number;
}

/**
 * The constraints of a method. A constraint with target 0 and no unit to remove is omitted.
 *
 * @param config Architecture of the model to prune, dense or compact.
 * @param options Method and targets.
 * @throws {RangeError} If a target is not a share, or more than the units of those kinds can remove, or the length is shorter
 * than a frame.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { constraintsOf } from "./constraints.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * const [macs] = constraintsOf(config, { method: "mac", target: 0.5 });
 * const [conv, transformer] = constraintsOf(config, { method: "sep-size", target: 0.5, targetConv: 0.3 });
 * console.log(macs!.target, conv!.target, transformer!.target); // 0.5 0.3 0.5
 * ```
 */
export function constraintsOf(config: ModelConfig, options: ConstraintOptions): Constraint[] {
  const { method, target, targetConv = target, targetTransformer = target } = options;
  const { kinds = UNIT_KINDS, seconds = 10 } = options;
  const samples = Math.round(seconds * RATE);
  const constraint = (quantity: Quantity, target: number, by: readonly UnitKind[]): Constraint => ({
    cost: new UnitCost(config, quantity, samples),
    target,
    kinds: by.filter((kind) => kinds.includes(kind)),
  });
  const all = method === "size"
    ? [constraint("parameters", target, UNIT_KINDS)]
    : method === "mac"
    ? [constraint("macs", target, UNIT_KINDS)]
    : [
      constraint("conv", targetConv, ["conv"]),
      constraint("transformer", targetTransformer, ["heads", "ffn"]),
    ];
  const active = all.filter(({ kinds, target }) => kinds.length > 0 || target !== 0);
  for (const { cost, target, kinds } of active) check(cost, target, kinds);
  return active;
}

function check(cost: UnitCost, target: number, kinds: readonly UnitKind[]): void {
  const refuse = (rule: string, found: string | number): never => {
    throw new RangeError(`Cannot prune ${cost.quantity} as ${rule}: ${found}`);
  };
  if (!(target >= 0 && target <= 1)) refuse("the target must be a share from 0 to 1", target);
  if (cost.quantity === "macs" && convFrames(cost.config, cost.samples).at(-1) === 0) {
    refuse("the reference length must be one frame or more", `${cost.samples} samples`);
  }
  const groups = unitGroups(cost.config, kinds);
  const fewest = withCounts(unitCounts(cost.config), groups, groups.map(({ least }) => least));
  const most = cost.removed(fewest);
  if (target > most) {
    if (kinds.length === 0) refuse("its target must be 0 without units that may be removed", target);
    refuse(`${kinds.join(", ")} can remove a share of ${most.toFixed(4)} at most`, `the target is ${target}`);
  }
}
