import { dropout, type DropoutOptions } from "../kernels/dropout.ts";
import { uniformAt } from "../random/philox.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ForwardContext } from "./forward_context.ts";

/**
 * What a dropout of the model drops in this step; null in evaluation or at a rate of 0.
 *
 * @param context The forward context.
 * @param name Place in the model; every place has numbers of its own.
 * @param p Rate.
 */
export function dropoutAt({ training }: ForwardContext, name: string, p: number): DropoutOptions | null {
  if (!training || p === 0) return null;
  return { p, seed: training.seed, step: training.step, purpose: `dropout ${name}` };
}

/** Drops a share `p` of `x` in training; `x` itself otherwise. */
export function drop(context: ForwardContext, name: string, p: number, x: Tensor): Tensor {
  const options = dropoutAt(context, name, p);
  return options ? dropout(x, options) : x;
}

/** Whether this step leaves a Transformer layer out (LayerDrop, arXiv 1909.11556). */
export function skipsLayer({ training, config }: ForwardContext, layer: number): boolean {
  if (!training || config.layerdrop === 0) return false;
  const { seed, step } = training;
  return uniformAt(layer, { seed, step, purpose: "layerdrop" }) < config.layerdrop;
}
