import index from "../tensor/_index.wgsl" with { type: "text" };
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofType } from "./internal/checks.ts";
import { reduceRows } from "./internal/reduce_rows.ts";
import { runEach, wideKernel } from "../tensor/rows.ts";
import source from "./sum_rows.wgsl" with { type: "text" };

const kernels = wideKernel("sum_rows", source, [index]);

/**
 * Sum of the rows of a matrix, in passes, so that the rounding error grows with the logarithm of the number of rows.
 *
 * @param x Rows, [R, C].
 * @returns [C]
 * @throws {TypeError} If x is not an f32 matrix.
 * @example
 * ```ts
 * import { requestGpu, sumRows } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = sumRows(gpu.tensor([1, 2, 3, 4], [2, 2])); // [4, 6]
 * console.log(await y.read());
 * ```
 */
export function sumRows(x: Tensor): Tensor {
  ofRank("sum rows", "x", x, 2);
  ofType("sum rows", "x", x, "f32");
  const { gpu } = x;
  const columns = x.shape[1]!;
  const y = reduceRows(x, columns);
  record("sumRows", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runEach(gpu, kernels, dx.size, { entry: "backward", columns, each: { dx }, whole: { dy: dy! } });
    return [dx];
  });
  return y;
}
