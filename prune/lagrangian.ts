// The augmented Lagrangian that brings expected costs to their targets (Wang, Wohlwend and Lei 2020, arXiv 1910.04732):
//
//     min over weights and log-alphas, max over λ1, λ2      task loss + Σ_c [ λ1·(s − t) + λ2·(s − t)² ]
//
// with s = 1 − E[cost]/dense cost, the share removed.

import type { UnitCounts } from "../model/costs.ts";
import type { Constraint } from "./constraints.ts";
import type { Quantity } from "./cost.ts";
import type { UnitGroup } from "./groups.ts";

/** The penalty of one constraint and its derivatives. */
export interface Penalty {
  /** λ1·(s − t) + λ2·(s − t)². */
  readonly value: number;
  /** Derivative by s, λ1 + 2·λ2·(s − t). */
  readonly bySparsity: number;
  /** Derivatives by λ1 and λ2: (s − t) and (s − t)². */
  readonly byLambda: readonly [number, number];
}

/**
 * The penalty of one constraint.
 *
 * @param sparsity Expected share removed, s.
 * @param target Target share in this step, t.
 * @param lambda λ1 and λ2.
 *
 * @example
 * ```ts
 * import { penalty } from "./lagrangian.ts";
 *
 * penalty(0.1, 0.5, [1, 2]).value; // −0.08
 * ```
 */
export function penalty(sparsity: number, target: number, lambda: readonly [number, number]): Penalty {
  const gap = sparsity - target;
  const [first, second] = lambda;
  return {
    value: first * gap + second * gap * gap,
    bySparsity: first + 2 * second * gap,
    byLambda: [gap, gap * gap],
  };
}

/** How targets rise: evenly, or ever more slowly, so that the gates hardly move when the targets are reached. */
export type Ramp = "linear" | "quadratic";

/** Names of the ramps. */
export const RAMPS = ["linear", "quadratic"] as const satisfies readonly Ramp[];

/**
 * Factor of the targets in a step: it rises from 0 to 1 over `warmup` steps, as x or as 1 − (1 − x)².
 *
 * @param step Index of the step, from 0.
 * @param warmup Steps until the final targets; 0: none.
 * @param ramp How it rises.
 *
 * @example
 * ```ts
 * import { risenShare } from "./lagrangian.ts";
 *
 * risenShare(20, 100); // 0.2
 * risenShare(20, 100, "quadratic"); // 0.36
 * ```
 */
export function risenShare(step: number, warmup: number, ramp: Ramp = "linear"): number {
  if (step >= warmup) return 1;
  const x = step / warmup;
  return ramp === "linear" ? x : 1 - (1 - x) ** 2;
}

/** State of a constraint in a step. */
export interface ConstraintState {
  /** Quantity that it counts. */
  readonly quantity: Quantity;
  /** Expected share removed, s. */
  readonly sparsity: number;
  /** Target share in this step, t. */
  readonly target: number;
  /** λ1 and λ2. */
  readonly lambda: readonly [number, number];
}

/** The penalties of all constraints and their derivatives. */
export interface Penalties {
  /** Their sum. */
  readonly value: number;
  /** Derivatives by the expected count of each group. */
  readonly byCount: Float64Array;
  /** Derivatives by λ1 and λ2 of each constraint. */
  readonly byLambda: Float64Array;
  /** One per constraint. */
  readonly states: readonly ConstraintState[];
}

/** Point at which {@linkcode penalties} is evaluated. */
export interface PenaltyPoint {
  /** Expected counts of units. */
  readonly units: UnitCounts;
  /** Groups to differentiate by. */
  readonly groups: readonly UnitGroup[];
  /** λ1 and λ2 of each constraint. */
  readonly lambda: ArrayLike<number>;
  /** Factor of the targets, see {@linkcode risenShare}; default: 1. */
  readonly risen?: number;
}

/**
 * The penalty of all constraints, which is added to the task loss.
 *
 * @param constraints Costs and their targets.
 * @param point Expected counts and Lagrange multipliers.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitCounts } from "../model/costs.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { unitGroups } from "./groups.ts";
 * import { penalties } from "./lagrangian.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const constraints = constraintsOf(config, { method: "size", target: 0.5 });
 * const groups = unitGroups(config);
 * const { value, byLambda } = penalties(constraints, { units: unitCounts(config), groups, lambda: [1, 0] });
 * console.log(value, byLambda); // −0.5, [−0.5, 0.25]
 * ```
 */
export function penalties(constraints: readonly Constraint[], point: PenaltyPoint): Penalties {
  const { units, groups, lambda, risen = 1 } = point;
  const byCount = new Float64Array(groups.length);
  const byLambda = new Float64Array(2 * constraints.length);
  let value = 0;
  const states = constraints.map(({ cost, target: final }, c): ConstraintState => {
    const pair = [lambda[2 * c]!, lambda[2 * c + 1]!] as const;
    const sparsity = cost.removed(units);
    const target = risen * final;
    const term = penalty(sparsity, target, pair);
    value += term.value;
    byLambda.set(term.byLambda, 2 * c);
    cost.slopes(groups, units).forEach((slope, g) => byCount[g]! -= term.bySparsity * slope / cost.dense);
    return { quantity: cost.quantity, sparsity, target, lambda: pair };
  });
  return { value, byCount, byLambda, states };
}
