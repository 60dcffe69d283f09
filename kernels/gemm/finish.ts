// Runs the kernel that reduces split-K and applies the epilogue.
import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { Dispatch } from "../../tensor/dispatch.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Kernel } from "../../tensor/kernel.ts";
import { roundUp } from "../../tensor/align.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import gelu from "../internal/_gelu.wgsl" with { type: "text" };
import epilogue from "./_epilogue.wgsl" with { type: "text" };
import { bindEpilogue, type EpiloguePlan, planEpilogue } from "./epilogue.ts";
import source from "./finish.wgsl" with { type: "text" };
import { preprocess } from "./preprocess.ts";
import { batchOf, type GemmProblem } from "./problem.ts";
import { SpecializedKernel } from "./specialized_kernel.ts";

const kernels = new SpecializedKernel("gemm_finish", (values) => {
  return [source, preprocess(epilogue, values), gelu, index];
});

/** `Number`s of an invocation: on GPUs neighbouring invocations are to compute neighbouring columns. */
const chunkOf = (gpu: Gpu) => gpu.software ? 8 : 1;

/** How partial sums become C. */
export interface FinishPlan {
  /** Shape of the partial sums: splits, rows of all items, columns. */
  readonly partial: readonly [number, number, number];
  readonly kernel: Kernel;
  readonly epilogue: EpiloguePlan;
  readonly dispatch: Omit<Dispatch, "bind">;
}

/** Plans the sums of a GEMM's splits. Rows of partial sums are whole vec4s. */
export function planFinish(gpu: Gpu, problem: GemmProblem, splits: number): FinishPlan {
  const { m, n } = problem;
  const [z1, z2] = batchOf(problem);
  const [rows, row] = [z1 * z2 * m, roundUp(n, 4)];
  const epilogue = planEpilogue(problem, { n, partial_split: rows * row, partial_row: row });
  const { parts, params, width, stored } = epilogue;
  const chunk = chunkOf(gpu);
  return {
    partial: [splits, rows, row],
    kernel: kernels.of(parts, { Stored: stored }, width),
    epilogue,
    dispatch: {
      constants: { CHUNK: chunk },
      params: { m, z: z1 * z2, z2, splits, ...params },
      workgroups: Math.ceil(z1 * z2 * m * Math.ceil(n / width / chunk) / 64),
    },
  };
}

/** Adds the partial sums of a GEMM and writes C, with the epilogue. */
export function finishGemm(gpu: Gpu, problem: GemmProblem, partial: Tensor, plan: FinishPlan): void {
  const { kernel, epilogue, dispatch } = plan;
  gpu.run(kernel, { bind: { partial, ...bindEpilogue(problem, epilogue) }, ...dispatch });
}
