import { backward } from "./backward.ts";
import { noGrad, record, recording, withGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Gradient checkpointing: runs part of a model without keeping the intermediate tensors that its pullbacks need, and runs it
 * again in the backward pass. It saves memory and costs time (Chen et al. 2016, arXiv 1604.06174).
 *
 * @param x Input of the part.
 * @param others All other tensors that the part reads and that may require a gradient, such as its weights; the gradient of a
 * tensor that is missing here is lost.
 * @param fn The part. It is called twice and must compute the same both times, dropout included.
 * @returns What `fn` returns.
 * @example
 * ```ts
 * import { backward, gelu, gradientCheckpoint, requestGpu, scale, sum } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([0, 1]);
 * x.requiresGrad = true;
 * const y = gradientCheckpoint(x, [], (x) => scale(gelu(gelu(x)), 2));
 * console.log(await backward(sum(y)).get(x)?.read());
 * ```
 */
export function gradientCheckpoint(x: Tensor, others: readonly Tensor[], fn: (x: Tensor) => Tensor): Tensor {
  if (!recording([x, ...others])) return fn(x);
  const { gpu } = x;
  const y = gpu.scope(() => noGrad(gpu, () => fn(x)));
  record("gradientCheckpoint", [x, ...others], [y], ([dy]) => {
    const input = x.view();
    input.requiresGrad = x.needsGrad;
    const leaves = others.filter(({ needsGrad }) => needsGrad);
    return gpu.scope(() => {
      const again = withGrad(gpu, () => fn(input));
      const grads = backward(again, { gradient: dy!, wrt: leaves });
      return [input, ...others].map((tensor) => grads.get(tensor) ?? null);
    });
  });
  return y;
}
