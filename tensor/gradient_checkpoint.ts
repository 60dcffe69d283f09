import { backward } from "./backward.ts";
import { noGrad, record, recording, withGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Computes a part of a model without keeping what its pullbacks need, which is computed once more when its gradients are:
 * memory for time (Chen et al. 2016, arXiv 1604.06174).
 *
 * @param x What the part is applied to.
 * @param others All other tensors that the part reads and that may want a gradient; a gradient of one that is not named
 * is lost.
 * @param fn The part; called twice, it must compute the same, dropout included.
 * @returns What `fn` returns.
 * @example
 * ```ts
 * import { backward, gelu, gradCheckpoint, requestGpu, scale, sum } from "../mod.ts";
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
  record("gradCheckpoint", [x, ...others], [y], ([dy]) => {
    const input = x.view();
    input.requiresGrad = x.needsGrad;
    const wanted = others.filter(({ needsGrad }) => needsGrad);
    return gpu.scope(() => {
      const again = withGrad(gpu, () => fn(input));
      const grads = backward(again, { seed: dy!, wrt: wanted });
      return [input, ...others].map((tensor) => grads.get(tensor) ?? null);
    });
  });
  return y;
}
