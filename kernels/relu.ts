import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import source from "./relu.wgsl" with { type: "text" };

const kernels = wideKernel("relu", source, [index]);

/**
 * ReLU, max(x, 0). Its derivative at 0 is 0, as in PyTorch.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @throws {TypeError} If x is not f32.
 * @example
 * ```ts
 * import { relu, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = relu(gpu.tensor([-1, 0, 1])); // [0, 0, 1]
 * console.log(await y.read());
 * ```
 */
export function relu(x: Tensor): Tensor {
  ofType("apply ReLU", "x", x, "f32");
  const { gpu } = x;
  const y = gpu.empty(x.shape);
  runEach(gpu, kernels, x.size, { entry: "forward", each: { x, y } });
  record("relu", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runEach(gpu, kernels, x.size, { entry: "backward", each: { x, dy: dy!, dx } });
    return [dx];
  });
  return y;
}
