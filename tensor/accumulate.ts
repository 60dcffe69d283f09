import index from "./_index.wgsl" with { type: "text" };
import source from "./accumulate.wgsl" with { type: "text" };
import { runEach, wideKernel } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

const kernels = wideKernel("accumulate", source, [index]);

/**
 * Adds `x` to `y`, of the same shape, and returns the sum: `y` itself, or a new tensor if other tensors share the storage
 * of `y`, which is disposed then.
 */
export function accumulate(y: Tensor, x: Tensor): Tensor {
  const { gpu } = y;
  if (y.storage.refs === 1) {
    runEach(gpu, kernels, y.size, { each: { x, y } });
    return y;
  }
  const sum = gpu.empty(y.shape);
  runEach(gpu, kernels, sum.size, { entry: "anew", each: { x, before: y, y: sum } });
  y.dispose();
  return sum;
}
