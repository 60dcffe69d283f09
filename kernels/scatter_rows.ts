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
 * Puts rows at given places of a matrix of zeros, and adds those that share one, in a fixed order.
 *
 * @param x Rows, [N, C].
 * @param index Row of the result for each row of x, [N]. Those on the host are checked and sorted there; on the
 * device, a row whose index is none is left out, and every row of the result looks through all of them.
 * @param rows Rows of the result, R.
 * @returns [R, C]
 * @throws {TypeError} If there is not one index per row, if x is no f32 matrix, or if a tensor of indices is not
 * i32 or has not one dimension.
 * @throws {RangeError} If an index on the host is not below R, or if R is no whole number.
 * @example
 * ```ts
 * import { requestGpu, scatterRows } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = scatterRows(gpu.tensor([1, 2, 3], [3, 1]), [0, 2, 0], 3); // [[4], [0], [2]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function scatterRows(x: Tensor, index: RowIndex, rows: number): Tensor {
  const doing = "scatter rows";
  if (!(Number.isInteger(rows) && rows >= 0)) {
    throw new RangeError(`Cannot scatter rows as their number must be whole: found ${rows}`);
  }
  const size = indexSize(doing, x, index);
  checkRows(doing, x, index, rows);
  oneIndexPerRow(doing, x, size);
  const y = scatter(x, index, rows);
  record("scatterRows", [x], [y], ([dy]) => [gather(dy!, index)]);
  return y;
}
