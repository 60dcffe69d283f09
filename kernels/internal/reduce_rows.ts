import { fill } from "../../tensor/fill.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { gemm } from "../gemm/gemm.ts";
import { reduceFrames } from "./reduce_frames.ts";
import { sharesSums, sumElements } from "./sum_elements.ts";

/**
 * Sums the rows of a matrix. Not recorded on the tape; pullbacks call it.
 *
 * @param x Any shape, read as [rows, `columns`].
 * @param columns Elements of a row; the last dimension unless given.
 * @param times Factor of each element, of x's size: Σ_r x[r, c]·times[r, c].
 * @param to Receives the sums; a new tensor unless given.
 * @returns [columns]; `to` itself if it is given.
 * @example
 * ```ts
 * import { requestGpu } from "../../mod.ts";
 * import { reduceRows } from "./reduce_rows.ts";
 *
 * using gpu = await requestGpu();
 * const y = reduceRows(gpu.tensor([1, 2, 3, 4], [2, 2])); // [4, 6]
 * console.log(await y.read());
 * ```
 */
export function reduceRows(
  x: Tensor,
  columns: number = x.shape.at(-1) ?? 1,
  times?: Tensor | null,
  to?: Tensor | null,
): Tensor {
  const { gpu } = x;
  if (x.size === 0) {
    const zeros = gpu.zeros([columns]);
    if (!to) return zeros;
    gpu.copy(zeros, to);
    return to;
  }
  if (sharesSums(gpu) && columns === 1 && !times) return sumElements(x, { y: to ?? gpu.empty([1]) });
  const rows = x.size / columns;
  // Where 64 rows exceed a binding, the sum is a GEMM with ones, which splits along the columns as well.
  if (!times && x.size * 4 > gpu.limits.bindingBytes && 64 * columns * 4 > gpu.limits.bindingBytes) {
    using ones = fill(gpu, [rows], 1);
    const sum = to ?? gpu.empty([columns]);
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
  using place = to?.view([1, columns]);
  using sums = reduceFrames(frames, { times: factors ?? null, to: place ?? null });
  return to ?? sums.view([columns]);
}
