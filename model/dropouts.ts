import { dropout, type DropoutOptions } from "../kernels/dropout.ts";
import { uniformAt } from "../random/philox.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ForwardContext } from "./forward_context.ts";

/**
 * Options of a dropout in this step; null in evaluation or at rate 0.
 *
 * @param context The forward context.
 * @param name Place in the model. Every place has its own random stream.
 * @param p Dropout rate.
 */
export function dropoutAt({ training }: ForwardContext, name: string, p: number): DropoutOptions | null {
  if (!training || p === 0) return null;
  return { p, seed: training.seed, step: training.step, purpose: `dropout ${name}` };
}

/** Applies dropout at rate `p` in training; returns `x` in evaluation. */
export function drop(context: ForwardContext, name: string, p: number, x: Tensor): Tensor {
  const options = dropoutAt(context, name, p);
  return options ? dropout(x, options) : x;
}

/** Whether this step skips a Transformer layer (LayerDrop, arXiv 1909.11556). */
export function skipsLayer({ training, config }: ForwardContext, layer: number): boolean {
  if (!training || config.layerdrop === 0) return false;
  const { seed, step } = training;
  return uniformAt(layer, { seed, step, purpose: "layerdrop" }) < config.layerdrop;
}
