/** Options of {@linkcode HostAdamw}. */
export interface HostAdamwOptions {
  /** Decay rates of the moments; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment; 1e-8 unless given. */
  readonly eps?: number;
}

/** How {@linkcode HostAdamw.update} steps. */
export interface HostAdamwStep {
  /** Learning rate; a negative one ascends. */
  readonly rate: number;
  /** Factor of the gradients, as clipping gives it; 1 unless given. */
  readonly scale?: number;
  /** Decoupled weight decay; 0 unless given. */
  readonly decay?: number;
}

/**
 * Adam with decoupled weight decay and bias correction in float64 on the host, as `torch.optim.AdamW` (Loshchilov and
 * Hutter, ICLR 2019), for the gates' parameters and the multipliers.
 *
 * @example
 * ```ts
 * import { HostAdamw } from "./adamw.ts";
 *
 * const lambda = new HostAdamw(new Float64Array(2));
 * lambda.update(Float64Array.of(0.1, 0.01), { rate: -0.02 });
 * console.log(lambda.values); // near 0.02 and 0.02
 * ```
 */
export class HostAdamw {
  /** Numbers that are learnt. */
  readonly values: Float64Array;
  /** First moment. */
  readonly mean: Float64Array;
  /** Second moment. */
  readonly square: Float64Array;
  /** Updates done. */
  updates = 0;
  readonly #betas: readonly [number, number];
  readonly #eps: number;

  /** @param values Numbers to learn, which are changed in place. */
  constructor(values: Float64Array, options: HostAdamwOptions = {}) {
    this.values = values;
    this.mean = new Float64Array(values.length);
    this.square = new Float64Array(values.length);
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#eps = options.eps ?? 1e-8;
  }

  /** One update. @param gradient As many numbers as there are values. @param step Rate, clipping, decay. */
  update(gradient: ArrayLike<number>, { rate, scale = 1, decay = 0 }: HostAdamwStep): void {
    const { values, mean, square } = this;
    const [beta1, beta2] = this.#betas;
    this.updates++;
    const correction1 = 1 - beta1 ** this.updates;
    const correction2 = 1 - beta2 ** this.updates;
    for (let i = 0; i < values.length; i++) {
      const g = scale * gradient[i]!;
      mean[i] = beta1 * mean[i]! + (1 - beta1) * g;
      square[i] = beta2 * square[i]! + (1 - beta2) * g * g;
      const width = Math.sqrt(square[i]! / correction2) + this.#eps;
      values[i] = values[i]! * (1 - rate * decay) - rate * (mean[i]! / correction1) / width;
    }
  }
}
