import type { Tensor } from "../tensor/tensor.ts";
import { reduceFrames } from "./reduce_frames.ts";

/**
 * Sums the rows of a matrix. Not recorded on the tape: pullbacks call it.
 *
 * @param x Any shape, read as [rows, `columns`].
 * @param columns Numbers of a row; the last dimension unless given.
 * @param times Factor of each number, of x's size: Σ_r x[r, c]·times[r, c].
 * @returns [columns]
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { reduceRows } from "./reduce_rows.ts";
 *
 * const gpu = await requestGpu();
 * const y = reduceRows(gpu.tensor([1, 2, 3, 4], [2, 2])); // [4, 6]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function reduceRows(x: Tensor, columns = x.shape.at(-1) ?? 1, times?: Tensor): Tensor {
  if (x.size === 0) return x.gpu.zeros([columns]);
  const item = [1, x.size / columns, columns];
  using frames = x.view(item);
  using factors = times?.view(item);
  using sums = reduceFrames(frames, { times: factors ?? null });
  return sums.view([columns]);
}
