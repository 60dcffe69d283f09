import type { Tensor } from "../tensor/tensor.ts";

/** Parameters that {@linkcode AdamW} updates alike. */
export interface AdamWGroup {
  /** f32 tensors; each is in one group. */
  readonly params: readonly Tensor[];
  /** Learning rate, from 0. */
  readonly lr: number;
  /** Decay rates of the first and second moment; default: 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment, above 0; default: 1e-8. */
  readonly eps?: number;
  /** Weight decay, times the learning rate per step; default: 0. */
  readonly weightDecay?: number;
  /** Whether to ascend instead of to descend; default: false. The moments are those of the gradient itself. */
  readonly maximize?: boolean;
}

/** Options of {@linkcode AdamW.step}. */
export interface AdamWStepOptions {
  /** Factor of every group's learning rate, as a schedule returns it; default: 1. */
  readonly lrScale?: number;
  /** If the norm over all gradients exceeds this, they are scaled down to it; default: no clipping. */
  readonly maxGradNorm?: number;
}

/** Adam moments of a parameter, in its shape. */
export interface Moments {
  /** First moment: running average of the gradient. */
  readonly expAvg: Tensor;
  /** Second moment: running average of its square. */
  readonly expAvgSq: Tensor;
}

/**
 * Fills in the defaults of a group.
 *
 * @param group Group.
 * @param index Its index, for errors.
 * @throws {RangeError} If a value is out of range.
 */
export function withGroupDefaults(group: AdamWGroup, index: number): Required<AdamWGroup> {
  const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, maximize = false, lr } = group;
  const check = (name: string, value: number, fits: boolean, rule: string) => {
    if (fits && value < Infinity) return;
    throw new RangeError(`Cannot optimize as ${name} must be ${rule}: groups[${index}] has ${value}`);
  };
  check("lr", lr, lr >= 0, "a number from 0");
  check("eps", eps, eps > 0, "above 0");
  check("weightDecay", weightDecay, weightDecay >= 0, "a number from 0");
  betas.forEach((beta, i) => check(`betas[${i}]`, beta, beta >= 0 && beta < 1, "from 0 to below 1"));
  return { params: group.params, lr, betas, eps, weightDecay, maximize };
}
