import index from "./_index.wgsl" with { type: "text" };
import source from "./fill.wgsl" with { type: "text" };
import type { Gpu } from "./gpu.ts";
import { runEach, wideKernel } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

const kernels = wideKernel("fill", source, [index]);

/** An f32 tensor whose elements all have one value. */
export function fill(gpu: Gpu, shape: readonly number[], value: number): Tensor {
  const y = gpu.empty(shape);
  runEach(gpu, kernels, y.size, { each: { y }, params: { value } });
  return y;
}
