/** Result of {@linkcode clipJointly}. */
export interface JointGradNorm {
  /** 2-norm over the gradients of weights and gates together, before clipping. */
  readonly norm: number;
  /** Factor of all gradients, min(1, maxNorm/(norm + 1e-6)); NaN if the norm is. */
  readonly scale: number;
  /** Norm to clip the weights' gradients to, so that they get the same factor. */
  readonly weightsMaxNorm: number;
}

/**
 * Gradient clipping over weights, log-alphas and Lagrange multipliers together, as `torch.nn.utils.clip_grad_norm_`
 * over all parameter groups.
 *
 * @param weightsNorm 2-norm of the weights' gradients.
 * @param gateSquares Sum of squares of the gates' gradients, see {@linkcode GateGradients}.
 * @param maxNorm Largest norm, above 0.
 *
 * @example
 * ```ts
 * import { clipJointly } from "./joint_clip.ts";
 *
 * clipJointly(3, 16, 1); // norm 5, scale 0.2, weightsMaxNorm 0.6
 * ```
 */
export function clipJointly(weightsNorm: number, gateSquares: number, maxNorm: number): JointGradNorm {
  const norm = Math.sqrt(weightsNorm ** 2 + gateSquares);
  const scale = Math.min(1, maxNorm / (norm + 1e-6));
  return { norm, scale, weightsMaxNorm: scale < 1 ? scale * (weightsNorm + 1e-6) : Infinity };
}
