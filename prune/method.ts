import type { ModelConfig } from "../model/config.ts";
import { type Constraint, type ConstraintOptions, constraintsOf } from "./constraints.ts";
import { UNIT_KINDS, type UnitKind } from "./groups.ts";

/** Pruning methods: the three of HJ-Pruning (Peng et al. 2023, arXiv 2302.14132), two baselines, and the control. */
export const METHODS = [
  "mac",
  "size",
  "sep-size",
  "uniform",
  "transformer-only",
  "none",
] as const satisfies readonly Method[];

/** A pruning method. */
export type Method = "mac" | "size" | "sep-size" | "uniform" | "transformer-only" | "none";

/** Options of {@linkcode planMethod}. */
export interface MethodOptions extends Omit<ConstraintOptions, "method"> {
  /** Pruning method. */
  readonly method: Method;
}

/** What differs between methods. */
export interface MethodPlan {
  /** Costs and their targets. */
  readonly constraints: readonly Constraint[];
  /** Kinds of units that have gates. */
  readonly kinds: readonly UnitKind[];
  /** What units are chosen by: gates that are trained, or their magnitude without training; null if none is removed. */
  readonly chosenBy: "gates" | "magnitude" | null;
}

/**
 * The constraints of a method, and the units that it may remove. For `mac`, `size` and `sep-size` see
 * {@linkcode constraintsOf}. `transformer-only` is `mac` without gates of convolutions. `uniform` removes the same share of
 * every layer by weight magnitude, until the target of MACs is met. `none` is the control: the model is trained on in the same
 * way, and no unit is removed.
 *
 * @param config Architecture of the model to prune.
 * @param options Method and targets.
 * @throws {RangeError} If a target cannot be met.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { planMethod } from "./method.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * planMethod(config, { method: "transformer-only", target: 0.3 }).kinds; // heads and ffn
 * ```
 */
export function planMethod(config: ModelConfig, options: MethodOptions): MethodPlan {
  const { method, kinds: allowed = UNIT_KINDS } = options;
  if (method === "none") return { constraints: [], kinds: [], chosenBy: null };
  const kinds = method === "transformer-only" ? allowed.filter((kind) => kind !== "conv") : allowed;
  const counted = method === "uniform" || method === "transformer-only" ? "mac" : method;
  const constraints = constraintsOf(config, { ...options, method: counted, kinds });
  return { constraints, kinds, chosenBy: method === "uniform" ? "magnitude" : "gates" };
}
