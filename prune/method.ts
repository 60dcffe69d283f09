import type { ModelConfig } from "../model/config.ts";
import { type Constraint, type ConstraintOptions, constraintsOf } from "./constraints.ts";
import { UNIT_KINDS, type UnitKind } from "./groups.ts";

/** Ways to prune: the three of HJ-Pruning (Peng et al. 2023, arXiv 2302.14132), and two baselines to compare with. */
export const METHODS = ["mac", "size", "sep-size", "uniform", "transformer-only"] as const;

/** A way to prune. */
export type Method = typeof METHODS[number];

/** What a method needs to know. */
export interface MethodOptions extends Omit<ConstraintOptions, "method"> {
  /** Way to prune. */
  readonly method: Method;
}

/** A method as the parts that differ between methods. */
export interface MethodPlan {
  /** What is brought to which target. */
  readonly constraints: readonly Constraint[];
  /** Kinds of units that have gates. */
  readonly kinds: readonly UnitKind[];
  /** Whether gates are trained; else units are chosen by magnitude. */
  readonly trained: boolean;
}

/**
 * What a method prunes and by what: `mac`, `size` and `sep-size` as {@linkcode constraintsOf} has them;
 * `transformer-only` is `mac` with the convolutions' gates held open; `uniform` removes the same share of every layer, by
 * weight magnitude, until the target of multiply–accumulates is met.
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
  const { method, kinds: asked = UNIT_KINDS } = options;
  const kinds = method === "transformer-only" ? asked.filter((kind) => kind !== "conv") : asked;
  const counted = method === "uniform" || method === "transformer-only" ? "mac" : method;
  const constraints = constraintsOf(config, { ...options, method: counted, kinds });
  return { constraints, kinds, trained: method !== "uniform" };
}
