import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkRows, gather, indexSize, type RowIndex, scatter } from "./internal/row_index.ts";

/**
 * Gathers rows of a matrix by index, in any order and with repetitions.
 *
 * @param x Rows, [R, C].
 * @param index Row indices, [N]. On the host they are checked; on the device, an index out of range gives zeros.
 * @returns [N, C]
 * @throws {TypeError} If x is not an f32 matrix, or if a tensor of indices is not i32 of one dimension.
 * @throws {RangeError} If an index on the host is out of range.
 * @example
 * ```ts
 * import { gatherRows, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = gatherRows(gpu.tensor([1, 2, 3, 4], [2, 2]), [1, 1, 0]); // [[3, 4], [3, 4], [1, 2]]
 * console.log(await y.read());
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
