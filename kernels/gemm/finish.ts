import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { TypedKernel } from "../../tensor/typed_kernel.ts";
import gelu from "../internal/_gelu.wgsl" with { type: "text" };
import epilogue from "./_epilogue.wgsl" with { type: "text" };
import { batchOf, type GemmProblem } from "./problem.ts";
import { epilogueOf } from "./epilogue.ts";
import source from "./finish.wgsl" with { type: "text" };

const kernels = new TypedKernel("gemm_finish", source, [epilogue, gelu, index]);

/** `Number`s that an invocation does: on graphics processors neighbours are to do neighbours. */
const chunkOf = (gpu: Gpu) => gpu.software ? 8 : 1;

/** Sums the parts of a product, [parts, rows of all items, columns], into its place, with its epilogue. */
export function finishGemm(gpu: Gpu, problem: GemmProblem, product: Tensor): void {
  const { m, n } = problem;
  const [parts, rows, row] = product.shape as [number, number, number];
  const [z1, z2] = batchOf(problem);
  const numbers = { n, product_part: rows * row, product_row: row };
  const { bind, constants, params, width, stored } = epilogueOf(problem, numbers);
  const chunk = chunkOf(gpu);
  gpu.run(kernels.of({ Stored: stored }, width), {
    bind: { product, ...bind },
    constants: { CHUNK: chunk, ...constants },
    params: { m, z: z1 * z2, z2, parts, ...params },
    workgroups: Math.ceil(z1 * z2 * m * Math.ceil(n / width / chunk) / 64),
  });
}
