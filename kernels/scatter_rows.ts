import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  checkRows,
  gather,
  indexSize,
  oneIndexPerRow,
  type RowIndex,
  scatter,
} from "./internal/row_index.ts";

/**
 * Scatters rows to a matrix of zeros by index. Rows with equal indices are added in a fixed order.
 *
 * @param x Rows, [N, C].
 * @param index Row of the result for each row of x, [N]. Indices on the host are checked and sorted there. On the device, rows
 * with an index out of range are ignored, and every row of the result searches all indices.
 * @param rows Rows of the result, R.
 * @returns [R, C]
 * @throws {TypeError} If there is not one index per row, if x is not an f32 matrix, or if a tensor of indices is not i32 of one
 * dimension.
 * @throws {RangeError} If an index on the host is not below R, or if R is not a whole number.
 * @example
 * ```ts
 * import { requestGpu, scatterRows } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = scatterRows(gpu.tensor([1, 2, 3], [3, 1]), [0, 2, 0], 3); // [[4], [0], [2]]
 * console.log(await y.read());
 * ```
 */
export function scatterRows(x: Tensor, index: RowIndex, rows: number): Tensor {
  const doing = "scatter rows";
  if (!(Number.isInteger(rows) && rows >= 0)) {
    throw new RangeError(`Cannot scatter rows as the number of rows must be whole: found ${rows}`);
  }
  const size = indexSize(doing, x, index);
  checkRows(doing, x, index, rows);
  oneIndexPerRow(doing, x, size);
  const y = scatter(x, index, rows);
  record("scatterRows", [x], [y], ([dy]) => [gather(dy!, index)]);
  return y;
}
