import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Tensor } from "../tensor/tensor.ts";
import source from "./reduce_frames.wgsl" with { type: "text" };
import { runRows, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("reduce_frames", source, [index]);

/** Frames that are summed in turn, into a sum of their own. */
const BLOCK = 64;

/** Blocks that one invocation adds up on a software adapter, where a dispatch takes longer than their numbers do. */
const SPAN = 16;

/** What {@linkcode reduceFrames} sums, and what it makes of the sum. */
export interface ReduceFrames {
  /** Taken off each number first: means, [B, C]. */
  readonly centre?: Tensor | null;
  /** Squares each number. */
  readonly square?: boolean;
  /** Factor of each number, of x's shape. */
  readonly times?: Tensor | null;
  /** Frames of each item that count, i32, [B]; all unless given. */
  readonly lengths?: Tensor | null;
  /** Makes the sum the mean over the frames that count, or 1/√(mean + `eps`). */
  readonly finish?: "mean" | "rstd";
  /** Added to the mean before the root. */
  readonly eps?: number;
  /** Receives the result, [B, C]; a new tensor unless given. */
  readonly to?: Tensor | null;
}

/**
 * Sums over the frames of each item, in blocks and the blocks in turn, so that the error grows with the logarithm
 * of their number and no loop is long. Not recorded on the tape.
 *
 * @param x [B, T, C]
 * @returns [B, C], a view of `to` if it is given; zeros if there are no frames.
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { reduceFrames } from "./reduce_frames.ts";
 *
 * const gpu = await requestGpu();
 * const y = reduceFrames(gpu.tensor([1, 2, 3, 4], [1, 2, 2]), { finish: "mean" }); // [[2, 3]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function reduceFrames(x: Tensor, how: ReduceFrames = {}): Tensor {
  const { gpu } = x;
  const { centre = null, square = false, times = null, lengths = null, finish, eps = 0, to = null } = how;
  const [items, frames, channels] = x.shape as [number, number, number];
  if (frames === 0) {
    const zeros = gpu.zeros([items, channels]);
    if (to) gpu.copy(zeros, to);
    return zeros;
  }
  const { kernel, width } = kernels.pick(channels);
  const columns = channels / width;
  const span = gpu.software && frames <= BLOCK * SPAN ? SPAN : 1;
  const parts = Math.ceil(frames / (BLOCK * span));
  const partAt = (row: number) => {
    return Math.floor(row / frames) * parts + Math.floor(row % frames / (BLOCK * span));
  };
  const part = parts === 1 && to ? to.view([items, parts, channels]) : gpu.empty([items, parts, channels]);
  runRows(gpu, kernel, items * frames, {
    rows: { x, times },
    whole: { mean: centre, lengths, y: part },
    params: ({ row, rows }) => ({ rows, first: row, frames, columns, part: partAt(row), eps }),
    constants: { SPAN: span, CENTRE: !!centre, SQUARE: square, TIMES: !!times, LENGTHS: !!lengths },
    workgroups: ({ row, rows }) => Math.ceil((partAt(row + rows - 1) - partAt(row) + 1) * columns / 64),
  });
  const y = parts === 1 ? part.view([items, channels]) : reduceFrames(part, { to });
  part.dispose();
  if (finish) {
    const rows = y.size / width;
    gpu.run(kernel, {
      entry: "finish",
      bind: { lengths, y },
      params: { rows, first: 0, frames, columns, part: 0, eps },
      constants: { LENGTHS: !!lengths, RSTD: finish === "rstd" },
      workgroups: Math.ceil(rows / 64),
    });
  }
  return y;
}
