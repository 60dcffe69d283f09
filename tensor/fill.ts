import index from "./_index.wgsl" with { type: "text" };
import source from "./fill.wgsl" with { type: "text" };
import { runFlat } from "./flat.ts";
import type { Gpu } from "./gpu.ts";
import { Kernel } from "./kernel.ts";
import type { Tensor } from "./tensor.ts";

const kernel = new Kernel("fill", source, [index]);

/** A float tensor whose elements all have one value. */
export function fill(gpu: Gpu, shape: readonly number[], value: number): Tensor {
  const y = gpu.empty(shape);
  runFlat(gpu, kernel, y.size, { bind: { y }, params: { value } });
  return y;
}
