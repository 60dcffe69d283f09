import index from "./_index.wgsl" with { type: "text" };
import source from "./accumulate.wgsl" with { type: "text" };
import { runEach, wideKernel } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

const kernels = wideKernel("accumulate", source, [index]);

/**
 * Adds `x` to `y`, both of one shape, and returns the sum: `y` itself, or a new tensor in its place if other
 * tensors share the storage of `y`, which is then disposed.
 */
export function accumulate(y: Tensor, x: Tensor): Tensor {
  const { gpu } = y;
  let sum = y;
  if (y.storage.refs > 1) {
    sum = gpu.empty(y.shape);
    gpu.copy(y, sum);
    y.dispose();
  }
  runEach(gpu, kernels, sum.size, { each: { x, y: sum } });
  return sum;
}
