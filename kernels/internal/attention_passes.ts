// The passes of attention beside its products, for attention.ts.

import index from "../../tensor/_index.wgsl" with { type: "text" };
import { runRows, wideKernel } from "../../tensor/rows.ts";
import { gradientSlot } from "../../tensor/gradient_sink.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { overLanes } from "./over_lanes.ts";
import source from "../attention.wgsl" with { type: "text" };
import { reduceRows } from "./reduce_rows.ts";

const kernels = wideKernel("attention", source, [overLanes, index]);

/** B, T, H and D. */
export interface Sizes {
  readonly batch: number;
  readonly frames: number;
  readonly heads: number;
  readonly width: number;
}

/** Queries that are weighed at once. */
export interface Block {
  readonly first: number;
  readonly queries: number;
}

/** Runs the softmax or its pullback over all rows. */
export function softmax(
  entry: "forward" | "backward",
  { batch, frames, heads, width }: Sizes,
  { queries }: Block,
  squares: Record<string, Tensor>,
  { scale, lengths, bias = null }: { scale: number; lengths: Tensor | null; bias?: Tensor | null },
): void {
  const { gpu, shape } = Object.values(squares)[0]!;
  // With a bias, rows are as long as clips: that a sum is made four at a time must not depend on that.
  const { kernel, width: wide } = kernels.pick(bias ? 1 : shape.at(-1)!);
  const lanes = gpu.software ? 1 : 64;
  const own = bias?.shape.length === 4 || batch === 1; // a bias of each clip, whose rows are those of the scores
  runRows(gpu, kernel, batch * heads * queries, {
    entry,
    rows: { ...squares, ...(own && { bias }) },
    whole: { lengths, ...(!own && { bias }) },
    params: ({ row, rows }) => ({
      n: rows,
      first: row,
      frames,
      queries,
      row: shape.at(-1)! / wide,
      heads,
      width,
      scale,
      own_bias: Number(own),
    }),
    constants: { LANES: lanes, LENGTHS: lengths !== null, BIAS: bias !== null },
    workgroups: ({ rows }) => Math.ceil(rows * lanes / 64),
  });
}

/** dc = dy·gate of the head: the gradient of the context before its gate. */
export function gateHeads(sizes: Sizes, dy: Tensor, gate: Tensor): Tensor {
  const dc = dy.gpu.empty(dy.shape);
  runRows(dy.gpu, kernels.pick(1).kernel, dy.size, {
    entry: "gate_heads",
    rows: { dy, dc },
    whole: { gate },
    params: ({ row, rows }) => ({ ...elements(sizes), n: rows, first: row }),
    workgroups: ({ rows }) => Math.ceil(rows / 256),
  });
  return dc;
}

/** `Params` of the passes that know no rows of scores. */
const elements = ({ frames, heads, width }: Sizes) => ({
  first: 0,
  frames,
  queries: frames,
  row: frames,
  heads,
  width,
  scale: 1,
  own_bias: 0,
});

/** The gradients of the gates, [H]: sums of dy·context over rows and the numbers of a head. */
export function gateGradient(sizes: Sizes, dy: Tensor, context: Tensor, gate: Tensor): Tensor {
  const { gpu } = dy;
  const { heads, width } = sizes;
  const columns = reduceRows(dy, heads * width, context);
  const dgate = gradientSlot(gate);
  gpu.run(kernels.pick(1).kernel, {
    entry: "sum_heads",
    bind: { columns, dgate },
    params: { ...elements(sizes), n: heads },
    workgroups: Math.ceil(heads / 64),
  });
  columns.dispose();
  return dgate;
}

/** The gradient of a bias that all clips share. */
export function sumUtterances(dp: Tensor, shape: readonly number[]): Tensor {
  const columns = shape.reduce((size, n) => size * n, 1);
  const sum = reduceRows(dp, columns);
  const shaped = sum.view(shape);
  sum.dispose();
  return shaped;
}
