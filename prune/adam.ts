/** Options of {@linkcode Adam}. */
export interface AdamOptions {
  /** Decay rates of the moments; default: 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment; default: 1e-8. */
  readonly eps?: number;
}

/**
 * Adam with bias correction in float64 on the host (Kingma and Ba 2015, arXiv 1412.6980), as `torch.optim.AdamW` without
 * weight decay, for the log-alphas and Lagrange multipliers, of which there are few.
 *
 * @example
 * ```ts
 * import { Adam } from "./adam.ts";
 *
 * const lambda = new Adam(new Float64Array(2));
 * lambda.update(Float64Array.of(0.1, 0.01), -0.02);
 * console.log(lambda.values); // near 0.02 and 0.02: it ascends
 * ```
 */
export class Adam {
  /** Parameters. */
  readonly values: Float64Array;
  /** First moment. */
  readonly expAvg: Float64Array;
  /** Second moment. */
  readonly expAvgSq: Float64Array;
  /** Updates done. */
  updates = 0;
  readonly #betas: readonly [number, number];
  readonly #eps: number;

  /** @param values Parameters, which are changed in place. @param options Decay rates and eps. */
  constructor(values: Float64Array, options: AdamOptions = {}) {
    this.values = values;
    this.expAvg = new Float64Array(values.length);
    this.expAvgSq = new Float64Array(values.length);
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#eps = options.eps ?? 1e-8;
  }

  /**
   * One update.
   *
   * @param gradient Gradient, as long as `values`.
   * @param rate Learning rate; a negative one ascends.
   * @param scale Factor of the gradient, as clipping gives it.
   */
  update(gradient: ArrayLike<number>, rate: number, scale = 1): void {
    const { values, expAvg, expAvgSq } = this;
    const [beta1, beta2] = this.#betas;
    this.updates++;
    const correction1 = 1 - beta1 ** this.updates;
    const correction2 = 1 - beta2 ** this.updates;
    for (let i = 0; i < values.length; i++) {
      const g = scale * gradient[i]!;
      expAvg[i] = beta1 * expAvg[i]! + (1 - beta1) * g;
      expAvgSq[i] = beta2 * expAvgSq[i]! + (1 - beta2) * g * g;
      values[i]! -= rate * (expAvg[i]! / correction1) / (Math.sqrt(expAvgSq[i]! / correction2) + this.#eps);
    }
  }
}
