import { fill } from "../tensor/fill.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { gemm } from "./gemm.ts";
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
  const { gpu } = x;
  const rows = x.size / columns;
  // Rows too wide to be bound by the block are summed as a product with ones, which splits along the columns too.
  if (!times && x.size * 4 > gpu.limits.bindingBytes && 64 * columns * 4 > gpu.limits.bindingBytes) {
    using ones = fill(gpu, [rows], 1);
    const sum = gpu.empty([columns]);
    gemm(gpu, {
      m: 1,
      n: columns,
      k: [1, rows],
      a: { tensor: ones, height: 1, row: rows, alongK: true },
      b: { tensor: x, height: rows, row: columns, alongK: false },
      c: { tensor: sum, row: columns },
    });
    return sum;
  }
  const item = [1, rows, columns];
  using frames = x.view(item);
  using factors = times?.view(item);
  using sums = reduceFrames(frames, { times: factors ?? null });
  return sums.view([columns]);
}
