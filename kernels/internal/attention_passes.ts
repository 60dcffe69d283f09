// The passes of attention between its GEMMs, for attention.ts.

import index from "../../tensor/_index.wgsl" with { type: "text" };
import { runRows, wideKernel } from "../../tensor/rows.ts";
import { gradientSlot } from "../../tensor/gradient_sink.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import source from "../attention.wgsl" with { type: "text" };
import type { AttentionSizes, QueryBlock } from "./attention_layout.ts";
import { overLanes } from "./over_lanes.ts";
import { reduceRows } from "./reduce_rows.ts";

const kernels = wideKernel("attention", source, [overLanes, index]);

/** Runs the softmax or its pullback over all rows. */
export function softmax(
  entry: "forward" | "backward",
  { batch, frames, heads, width }: AttentionSizes,
  { queries }: QueryBlock,
  scores: Record<string, Tensor>,
  { scale, lengths, bias = null }: { scale: number; lengths: Tensor | null; bias?: Tensor | null },
): void {
  const { gpu, shape } = Object.values(scores)[0]!;
  const { kernel, width: wide } = kernels.pick(shape.at(-1)!);
  const lanes = gpu.software ? 1 : 64;
  const own = bias?.shape.length === 4 || batch === 1; // a bias per utterance, with a row for each row of scores
  runRows(gpu, kernel, batch * heads * queries, {
    entry,
    rows: { ...scores, ...(own && { bias }) },
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
export function gateHeads(sizes: AttentionSizes, dy: Tensor, gate: Tensor): Tensor {
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

/** `Params` of the passes without rows of scores. */
const elements = ({ frames, heads, width }: AttentionSizes) => ({
  first: 0,
  frames,
  queries: frames,
  row: frames,
  heads,
  width,
  scale: 1,
  own_bias: 0,
});

/** The gradients of the gates, [H]: sums of dy·context over the rows and the elements of a head. */
export function gateGradient(sizes: AttentionSizes, dy: Tensor, context: Tensor, gate: Tensor): Tensor {
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

/** The gradient of a bias that all utterances share. */
export function sumUtterances(dp: Tensor, shape: readonly number[]): Tensor {
  const columns = shape.reduce((size, n) => size * n, 1);
  const sum = reduceRows(dp, columns);
  const shaped = sum.view(shape);
  sum.dispose();
  return shaped;
}
