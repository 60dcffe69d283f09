import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../../tensor/dispatch.ts";
import { areMultiples } from "../../tensor/shader_params.ts";
import type { StridedBatch } from "../../tensor/strided_batch.ts";
import { wideKernel } from "../../tensor/rows.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { rowWindows } from "../../tensor/binding_windows.ts";
import source from "./reduce_frames.wgsl" with { type: "text" };

const kernels = wideKernel("reduce_frames", source, [index]);

/** Frames of a block, whose sum is computed in order. */
const BLOCK = 64;

/** Blocks that one invocation adds up on a software adapter, where a dispatch takes longer than the additions. */
const SPAN = 16;

/** How each element is changed before it is summed. */
interface Each {
  /** Squares each element. */
  readonly square?: boolean;
  /** Factor of each element, of x's shape. */
  readonly times?: Tensor | null;
  /** Valid frames of each item, i32, [B]; all unless given. */
  readonly lengths?: Tensor | null;
}

/** What {@linkcode reduceFrames} computes, and where it writes it. */
export interface ReduceFrames extends Each {
  /** Divides the sum by the number of valid frames. */
  readonly mean?: boolean;
  /** Receives the result, [B, C]; a new tensor unless given. */
  readonly to?: Tensor | null;
}

/**
 * Sums over the frames of each item, in blocks and then over the blocks, so that the rounding error grows with the logarithm
 * of the number of frames, and no loop is long. Not recorded on the tape.
 *
 * @param x [B, T, C]
 * @returns [B, C], a view of `to` if it is given; zeros if there are no frames.
 * @example
 * ```ts
 * import { requestGpu } from "../../mod.ts";
 * import { reduceFrames } from "./reduce_frames.ts";
 *
 * using gpu = await requestGpu();
 * const y = reduceFrames(gpu.tensor([1, 2, 3, 4], [1, 2, 2]), { mean: true }); // [[2, 3]]
 * console.log(await y.read());
 * ```
 */
export function reduceFrames(x: Tensor, how: ReduceFrames = {}): Tensor {
  const { gpu } = x;
  const { lengths = null, mean = false, to = null } = how;
  const [items, frames, channels] = x.shape as [number, number, number];
  const y = to ? to.view([items, channels]) : gpu.empty([items, channels]);
  if (frames === 0) {
    using zeros = gpu.zeros(y.shape);
    gpu.copy(zeros, y);
    return y;
  }
  reduce({ span: x, step: frames * channels }, [items, frames, channels], { span: y, step: channels }, how);
  if (mean) {
    const { kernel, width } = kernels.pick(channels);
    const rows = y.size / width;
    gpu.run(kernel, {
      entry: "divide",
      bind: { lengths, y },
      params: { rows, first: 0, frames, columns: channels / width, part: 0, x_gap: 0, y_gap: 0 },
      constants: { LENGTHS: !!lengths },
      workgroups: Math.ceil(rows / 64),
    });
  }
  return y;
}

/** B, T and C. */
type Shape = readonly [number, number, number];

/**
 * Sums over the frames of items of a strided batch, as {@linkcode reduceFrames} does.
 *
 * @param x Items of T frames of C elements.
 * @param shape B, T and C.
 * @param y Receives C elements for each item; zeros if there are no frames.
 */
export function sumItems(x: StridedBatch, [items, frames, channels]: Shape, y: StridedBatch): void {
  const { gpu, size } = x.span;
  if (frames > 0 && (x.step === frames * channels || size * 4 <= gpu.limits.bindingBytes)) {
    reduce(x, [items, frames, channels], y);
    return;
  }
  for (let i = 0; i < items; i++) {
    using from = itemOf(x, i, [1, frames, channels]);
    using to = itemOf(y, i, [1, channels]);
    reduceFrames(from, { to }).dispose();
  }
}

function itemOf({ span, step }: StridedBatch, i: number, shape: readonly number[]): Tensor {
  return new Tensor(span.gpu, span.storage, shape, "f32", span.offset + i * step);
}

/** One pass, then the passes over its results. Items with gaps between them fit one binding. */
function reduce(x: StridedBatch, [items, frames, channels]: Shape, y: StridedBatch, each: Each = {}): void {
  const { gpu } = x.span;
  const { square = false, times = null, lengths = null } = each;
  const { kernel, width } = kernels.pick(areMultiples({ channels, x: x.step, y: y.step }, 4) ? 4 : 1);
  const columns = channels / width;
  const span = gpu.software && frames <= BLOCK * SPAN ? SPAN : 1;
  const parts = Math.ceil(frames / (BLOCK * span));
  const partAt = (row: number) => {
    return Math.floor(row / frames) * parts + Math.floor(row % frames / (BLOCK * span));
  };
  const part = parts === 1 ? y : { span: gpu.empty([items, parts, channels]), step: parts * channels };
  const x_gap = (x.step - frames * channels) / width;
  const y_gap = (part.step - parts * channels) / width;
  const run = (bind: Record<string, Resource | null>, row: number, rows: number) => {
    gpu.run(kernel, {
      bind: { ...bind, lengths, y: part.span },
      params: { rows, first: row, frames, columns, part: partAt(row), x_gap, y_gap },
      constants: { SPAN: span, SQUARE: square, TIMES: !!times, LENGTHS: !!lengths },
      workgroups: Math.ceil((partAt(row + rows - 1) - partAt(row) + 1) * columns / 64),
    });
  };
  if (x_gap > 0) run({ x: x.span, times }, 0, items * frames);
  else {
    for (const { row, rows } of rowWindows(gpu, items * frames, channels)) {
      const slice = (tensor: Tensor) => ({ tensor, start: row * channels, length: rows * channels });
      run({ x: slice(x.span), times: times && slice(times) }, row, rows);
    }
  }
  if (part === y) return;
  reduce(part, [items, parts, channels], y);
  part.span.dispose();
}
