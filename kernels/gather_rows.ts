import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkRows, gather, indexSize, type RowIndex, scatter } from "./internal/row_index.ts";

/**
 * Rows of a matrix by their numbers, in any order and as often as wanted.
 *
 * @param x Rows, [R, C].
 * @param index Numbers of rows, [N]. Those on the host are checked; on the device, one that is no row gives zeros.
 * @returns [N, C]
 * @throws {TypeError} If x is no f32 matrix, or if a tensor of indices is not i32 or has not one dimension.
 * @throws {RangeError} If an index on the host is no row of x.
 * @example
 * ```ts
 * import { gatherRows, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = gatherRows(gpu.tensor([1, 2, 3, 4], [2, 2]), [1, 1, 0]); // [[3, 4], [3, 4], [1, 2]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function gatherRows(x: Tensor, index: RowIndex): Tensor {
  const doing = "gather rows";
  indexSize(doing, x, index);
  checkRows(doing, x, index, x.shape[0]!);
  const y = gather(x, index);
  record("gatherRows", [x], [y], ([dy]) => [scatter(dy!, index, x.shape[0]!)]);
  return y;
}
