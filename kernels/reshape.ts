import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The same elements under another shape, without a copy. The gradient is reshaped back.
 *
 * @param x Any shape.
 * @param shape A shape of equal size.
 * @returns A tensor that shares the storage of `x`.
 * @throws {TypeError} If the sizes differ.
 * @example
 * ```ts
 * import { requestGpu, reshape } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = reshape(gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]), [3, 2]); // [[1, 2], [3, 4], [5, 6]]
 * console.log(await y.read());
 * ```
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const y = x.view(shape);
  record("reshape", [x], [y], ([dy]) => [dy!.view(x.shape)]);
  return y;
}
