import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import formula from "./internal/_gelu.wgsl" with { type: "text" };
import { ofType } from "./internal/checks.ts";
import source from "./gelu.wgsl" with { type: "text" };

const kernels = wideKernel("gelu", source, [formula, index]);

/**
 * GELU in its erf form, x·Φ(x), to f32 accuracy (Hendrycks and Gimpel 2016, arXiv 1606.08415).
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @throws {TypeError} If x is not f32.
 * @example
 * ```ts
 * import { gelu, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = gelu(gpu.tensor([-1, 0, 1])); // [-0.158655, 0, 0.841345]
 * console.log(await y.read());
 * ```
 */
export function gelu(x: Tensor): Tensor {
  ofType("apply GELU", "x", x, "f32");
  const { gpu } = x;
  const y = gpu.empty(x.shape);
  runEach(gpu, kernels, x.size, { entry: "forward", each: { x, y } });
  record("gelu", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runEach(gpu, kernels, x.size, { entry: "backward", each: { x, dy: dy!, dx } });
    return [dx];
  });
  return y;
}
