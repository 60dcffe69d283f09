import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The same numbers under another shape, without a copy; its gradient is reshaped back.
 *
 * @param x Any shape.
 * @param shape A shape of equal size.
 * @returns A tensor that shares the storage of `x`.
 * @throws {TypeError} If the sizes differ.
 * @example
 * ```ts
 * const heads = reshape(x, [2, 499, 12, 64]);
 * ```
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const y = x.view(shape);
  record("reshape", [x], [y], ([dy]) => [dy!.view(x.shape)]);
  return y;
}
