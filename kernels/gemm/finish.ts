// Runs the kernel that reduces split-K and applies the epilogue.
import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import gelu from "../internal/_gelu.wgsl" with { type: "text" };
import epilogue from "./_epilogue.wgsl" with { type: "text" };
import { epilogueOf } from "./epilogue.ts";
import source from "./finish.wgsl" with { type: "text" };
import { preprocess } from "./preprocess.ts";
import { batchOf, type GemmProblem } from "./problem.ts";
import { SpecializedKernel } from "./specialized_kernel.ts";

const kernels = new SpecializedKernel("gemm_finish", (values) => {
  return [source, preprocess(epilogue, values), gelu, index];
});

/** `Number`s of an invocation: on GPUs neighbouring invocations are to compute neighbouring columns. */
const chunkOf = (gpu: Gpu) => gpu.software ? 8 : 1;

/** Adds the partial sums [splits, rows of all items, columns] of a GEMM and writes C, with the epilogue. */
export function finishGemm(gpu: Gpu, problem: GemmProblem, partial: Tensor): void {
  const { m, n } = problem;
  const [splits, rows, row] = partial.shape as [number, number, number];
  const [z1, z2] = batchOf(problem);
  const fields = { n, partial_split: rows * row, partial_row: row };
  const { bind, parts, params, width, stored } = epilogueOf(problem, fields);
  const chunk = chunkOf(gpu);
  gpu.run(kernels.of(parts, { Stored: stored }, width), {
    bind: { partial, ...bind },
    constants: { CHUNK: chunk },
    params: { m, z: z1 * z2, z2, splits, ...params },
    workgroups: Math.ceil(z1 * z2 * m * Math.ceil(n / width / chunk) / 64),
  });
}
