import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flatWindows } from "../tensor/binding_windows.ts";
import { type RandomStream, streamParams } from "../random/philox.ts";
import generator from "./internal/_philox.wgsl" with { type: "text" };
import source from "./uniform.wgsl" with { type: "text" };

const kernel = new Kernel("uniform", source, [generator, index]);

/**
 * A tensor of random numbers, uniform in [0, 1): element i, in row-major order, has the bits of `uniformAt(i, stream)`.
 *
 * @param gpu Device.
 * @param shape Any shape.
 * @throws {RangeError} If seed or step is not a whole number below 2^32.
 * @example
 * ```ts
 * import { requestGpu, uniform } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const u = uniform(gpu, [2], { seed: 1, purpose: "dropout", step: 0 }); // [0.97045, 0.21473]
 * console.log(await u.read());
 * ```
 */
export function uniform(gpu: Gpu, shape: readonly number[], stream: RandomStream): Tensor {
  const params = streamParams(stream);
  const y = gpu.empty(shape);
  for (const { start, length } of flatWindows(gpu, y.size)) {
    gpu.run(kernel, {
      bind: { y: { tensor: y, start, length } },
      params: { n: length, first: start / 4, ...params },
      workgroups: Math.ceil(length / 1024),
    });
  }
  return y;
}
