// Copies of selected entries between tensors, for index_select.ts.

import index from "../../tensor/_index.wgsl" with { type: "text" };
import { ALIGN, roundDown } from "../../tensor/align.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { Kernel } from "../../tensor/kernel.ts";
import { Tensor } from "../../tensor/tensor.ts";
import source from "../index_select.wgsl" with { type: "text" };

const kernel = new Kernel("index_select", source, [index]);

/** Elements per invocation. */
const EACH = 16;

/** Indices of entries; -1 for none. */
export type Index = Int32Array<ArrayBuffer>;

/** Rows, middle and columns of a tensor as the shader reads it. */
export type Extents = readonly [number, number, number];

/** A copy of entries of one tensor to another. */
export interface Move {
  /** Source. */
  readonly from: Tensor;
  /** Destination. */
  readonly to: Tensor;
  /** Extents of `from`. */
  readonly extents: Extents;
  /** For each row of `to` its row of `from`, or -1; null for all in order. */
  readonly rows: Index | null;
  /** The same of columns. */
  readonly columns: Index | null;
}

/** Copies entries: moves between the same two buffers in one dispatch, as far as a binding reaches. */
export function move(gpu: Gpu, moves: readonly Move[]): void {
  const most = gpu.limits.bindingBytes / 4 - ALIGN;
  const batches: Batch[] = [];
  for (const move of moves) {
    const batch = batches.find(({ moves: [first], from, to }) => {
      return first!.from.storage === move.from.storage && first!.to.storage === move.to.storage &&
        lengthOf(extended(from, move.from)) <= most && lengthOf(extended(to, move.to)) <= most;
    });
    if (batch) {
      batch.moves.push(move);
      batch.from = extended(batch.from, move.from);
      batch.to = extended(batch.to, move.to);
    } else {
      const nothing = { start: Infinity, end: -Infinity };
      batches.push({ moves: [move], from: extended(nothing, move.from), to: extended(nothing, move.to) });
    }
  }
  for (const batch of batches) run(gpu, batch);
}

/** A stretch of a buffer, in elements. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Moves between two buffers, and the spans of these that they use. */
interface Batch {
  readonly moves: Move[];
  from: Span;
  to: Span;
}

const lengthOf = ({ start, end }: Span) => end - start;

const extended = ({ start, end }: Span, { offset, size }: Tensor): Span => {
  return { start: Math.min(start, offset), end: Math.max(end, offset + size) };
};

function run(gpu: Gpu, { moves, ...spans }: Batch): void {
  const from = tensorOf(moves[0]!.from, spans.from);
  const to = tensorOf(moves[0]!.to, spans.to);
  const length = gpu.software ? EACH : 1;
  const group = 64 * EACH / length; // runs
  const groups = moves.flatMap(({ to, extents: [, , width], columns }, item) => {
    const line = columns?.length ?? width;
    const runs = to.size / line * Math.ceil(line / length);
    return Array.from({ length: Math.ceil(runs / group) }, (_, i) => [item, i * group]);
  });
  const lists: number[] = [];
  const listsAt = 8 * moves.length + 2 * groups.length;
  const listOf = (list: Index | null) => {
    if (!list) return -1;
    const at = listsAt + lists.length;
    for (const entry of list) lists.push(entry);
    return at;
  };
  const items = moves.flatMap(({ from: x, to: y, extents: [, middle, width], rows, columns }) => [
    x.offset - from.offset,
    y.offset - to.offset,
    y.size / (columns?.length ?? width),
    middle,
    columns?.length ?? width,
    width,
    listOf(rows),
    listOf(columns),
  ]);
  using table = gpu.tensor(new Int32Array(items.concat(groups.flat(), lists)));
  gpu.run(kernel, {
    bind: { x: from, table, y: to },
    params: { workgroups: groups.length, groups: items.length },
    constants: { RUN: length, PER: EACH / length },
    workgroups: groups.length,
  });
  from.dispose();
  to.dispose();
}

/** A span as a tensor, from the last element before it where a binding may start. */
function tensorOf({ gpu, storage }: Tensor, { start, end }: Span): Tensor {
  const first = roundDown(start);
  return new Tensor(gpu, storage, [end - first], "f32", first);
}
