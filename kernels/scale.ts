import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import source from "./scale.wgsl" with { type: "text" };

const kernels = wideKernel("scale", source, [index]);

/**
 * Multiplies every element by a constant.
 *
 * @param x Any shape.
 * @param s Factor, rounded to f32; it gets no gradient.
 * @returns The shape of x.
 * @throws {TypeError} If x is not f32.
 * @throws {RangeError} If the factor is not finite.
 * @example
 * ```ts
 * import { requestGpu, scale, sum } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const losses = gpu.tensor([1, 2, 6]);
 * const mean = scale(sum(losses), 1 / losses.size); // 3
 * console.log(await mean.read());
 * ```
 */
export function scale(x: Tensor, s: number): Tensor {
  ofType("scale", "x", x, "f32");
  if (!Number.isFinite(s)) throw new RangeError(`Cannot scale as the factor must be finite: found ${s}`);
  const { gpu } = x;
  const y = gpu.empty(x.shape);
  runEach(gpu, kernels, x.size, { entry: "forward", each: { x, y }, params: { s } });
  record("scale", [x], [y], ([dy]) => [scale(dy!, s)]);
  return y;
}
