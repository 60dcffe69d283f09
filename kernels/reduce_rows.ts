import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rowWindows } from "../tensor/windows.ts";
import source from "./reduce_rows.wgsl" with { type: "text" };

const kernel = new Kernel("reduce_rows", source, [index]);

/** Rows that one invocation sums. */
const BLOCK = 64;

/**
 * Sums the rows of a matrix, in blocks and the blocks in turn, so that the error grows with the logarithm of
 * their number and no loop is long. Not recorded on the tape: pullbacks call it.
 *
 * @param x Any shape, read as [rows, `columns`].
 * @param columns Numbers of a row; the last dimension unless given.
 * @param times Factor of each number, of x's size: Σ_r x[r, c]·times[r, c].
 * @returns [columns]
 */
export function reduceRows(x: Tensor, columns = x.shape.at(-1) ?? 1, times?: Tensor): Tensor {
  const { gpu } = x;
  const rows = x.size / columns;
  if (rows === 0) return gpu.zeros([columns]);
  const blocks = Math.ceil(rows / BLOCK);
  const y = gpu.empty([blocks, columns]);
  for (const window of rowWindows(gpu, rows, columns)) {
    const slice = (tensor: Tensor): Resource => ({
      tensor,
      start: window.row * columns,
      length: window.rows * columns,
    });
    gpu.run(kernel, {
      bind: { x: slice(x), times: times ? slice(times) : null, y },
      params: { rows: window.rows, columns, first: window.row / BLOCK },
      constants: { TIMES: times !== undefined },
      workgroups: Math.ceil(Math.ceil(window.rows / BLOCK) * columns / 64),
    });
  }
  if (blocks === 1) {
    const row = y.view([columns]);
    y.dispose();
    return row;
  }
  const sum = reduceRows(y, columns);
  y.dispose();
  return sum;
}
