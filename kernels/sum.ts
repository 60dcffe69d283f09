import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import { runRows } from "../tensor/rows.ts";
import { sumElements, sumKernel } from "./internal/sum_elements.ts";

/**
 * Sum of all elements, in passes, so that the rounding error grows with the logarithm of the size.
 *
 * @param x Any shape.
 * @returns A scalar, of shape [].
 * @throws {TypeError} If x is not f32.
 * @example
 * ```ts
 * import { requestGpu, sum } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const total = sum(gpu.tensor([1, 2, 3])); // 6
 * console.log(await total.read());
 * ```
 */
export function sum(x: Tensor): Tensor {
  ofType("sum", "x", x, "f32");
  const { gpu } = x;
  const y = sumElements(x);
  record("sum", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runRows(gpu, sumKernel, dx.size, {
      entry: "backward",
      rows: { dx },
      whole: { dy: dy! },
      params: ({ rows }) => ({ n: rows, m: 1, first: 0 }),
      workgroups: ({ rows }) => Math.ceil(rows / 256),
    });
    return [dx];
  });
  return y;
}
