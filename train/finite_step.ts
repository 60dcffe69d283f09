/**
 * The rule "a step that is not finite changes nothing", in one place.
 *
 * Steps are recorded before the results of earlier ones are read back, so the device itself must hold back. It does so by
 * the gradients: {@linkcode lossGradient} starts the backward pass of every micro-batch with NaN if its loss, or a result
 * of the step before, is not finite. Then all gradients are NaN, `clipGradNorm` makes their factor 0, and AdamW leaves
 * weights and moments as they are, in this step and in all that follow. The host reads the results later, checks them with
 * {@linkcode isFiniteStep}, and finds the weights of the last finite step.
 *
 * @module
 */
import { add } from "../kernels/add.ts";
import { scale } from "../kernels/scale.ts";
import { sum } from "../kernels/sum.ts";
import { noGrad } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Results of a training step. */
export interface StepResult {
  /** Task loss, the mean over the step's utterances. */
  readonly loss: number;
  /** 2-norm over all gradients before clipping. */
  readonly gradNorm: number;
}

/**
 * Whether a step changed anything.
 *
 * @example
 * ```ts
 * import { isFiniteStep } from "./finite_step.ts";
 *
 * isFiniteStep({ loss: 3.2, gradNorm: NaN }); // false
 * ```
 */
export function isFiniteStep({ loss, gradNorm }: StepResult): boolean {
  return Number.isFinite(loss) && Number.isFinite(gradNorm);
}

/**
 * Gradient that the backward pass of a micro-batch starts with: its share of the step, or NaN.
 *
 * @param share Utterances of the micro-batch per utterance of the step.
 * @param loss Loss of the micro-batch, [].
 * @param before Results of the step before, [2].
 * @returns []: `share` if all of them are finite, else NaN.
 */
export function lossGradient(share: number, loss: Tensor, before: Tensor): Tensor {
  const { gpu } = loss;
  return noGrad(gpu, () => add(gpu.tensor([share], []), scale(add(sum(before), loss), 0)));
}
