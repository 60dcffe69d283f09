import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofType } from "./checks.ts";
import { reduceRows } from "./reduce_rows.ts";
import { runRows } from "./rows.ts";
import source from "./sum_rows.wgsl" with { type: "text" };

const kernel = new Kernel("sum_rows", source, [index]);

/**
 * Sum of the rows of a matrix, in passes, so that the error grows with the logarithm of their number.
 *
 * @param x Rows, [R, C].
 * @returns [C]
 * @throws {TypeError} If x is no matrix or not f32.
 * @example
 * ```ts
 * const y = sumRows(gpu.tensor([1, 2, 3, 4], [2, 2])); // [4, 6]
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
    runRows(gpu, kernel, dx.size, {
      entry: "backward",
      rows: { dx },
      whole: { dy: dy! },
      params: ({ row, rows }) => ({ n: rows, first: row, columns }),
      workgroups: ({ rows }) => Math.ceil(rows / 256),
    });
    return [dx];
  });
  return y;
}
