// The augmented Lagrangian that brings expected costs to their targets (Wang, Wohlwend and Lei 2020, arXiv 1910.04732):
//
//     min over weights and log-alphas, max over λ1, λ2      task loss + Σ_c [ λ1·(s − t) + λ2·(s − t)² ]
//
// with s = 1 − E[cost]/dense cost, the share removed.

/** The penalty of one constraint and its derivatives. */
export interface Penalty {
  /** λ1·(s − t) + λ2·(s − t)². */
  readonly value: number;
  /** Derivative by s. */
  readonly bySparsity: number;
  /** Derivatives by λ1 and λ2. */
  readonly byLambda: readonly [number, number];
}

/**
 * The penalty of one constraint.
 *
 * @param sparsity Expected share removed, s.
 * @param target Share to remove by now, t.
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

/**
 * The target of a step: it rises linearly from 0 to `target` over `warmup` steps.
 *
 * @param target Share to remove in the end.
 * @param step Steps done before, from 0.
 * @param warmup Steps until the target is reached; 0 for at once.
 *
 * @example
 * ```ts
 * import { warmedTarget } from "./lagrangian.ts";
 *
 * warmedTarget(0.5, 20, 100); // 0.1
 * ```
 */
export function warmedTarget(target: number, step: number, warmup: number): number {
  return step < warmup ? target * step / warmup : target;
}
