// Entries that move between tensors, for select.ts.

import index from "../tensor/_index.wgsl" with { type: "text" };
import { ALIGN, roundDown } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import { Tensor } from "../tensor/tensor.ts";
import source from "./select.wgsl" with { type: "text" };

const kernel = new Kernel("select", source, [index]);

/** Elements that an invocation does. */
const EACH = 16;

/** Numbers of entries; -1 for none. */
export type Index = Int32Array<ArrayBuffer>;

/** Rows, middle and columns that a tensor is read as. */
export type Extents = readonly [number, number, number];

/** Entries of one tensor that go to another. */
export interface Move {
  /** Where they come from. */
  readonly from: Tensor;
  /** Where they go to. */
  readonly to: Tensor;
  /** Those of `from`. */
  readonly extents: Extents;
  /** Of each row of `to`, which it is of `from`, or -1; null for all. */
  readonly rows: Index | null;
  /** The same of columns. */
  readonly columns: Index | null;
}

/** Moves entries, those between the same two buffers at once, as far as a binding reaches. */
export function move(gpu: Gpu, moves: readonly Move[]): void {
  const most = gpu.limits.bindingBytes / 4 - ALIGN;
  const end = (tensor: Tensor) => tensor.offset + tensor.size;
  const batches: Move[][] = [];
  const spanned = (batch: readonly Move[], key: "from" | "to") => {
    const tensors = batch.map((move) => move[key]);
    return Math.max(...tensors.map(end)) - Math.min(...tensors.map(({ offset }) => offset));
  };
  for (const one of moves) {
    const batch = batches.find((batch) => {
      const [{ from, to }] = batch as [Move];
      return from.storage === one.from.storage && to.storage === one.to.storage &&
        (["from", "to"] as const).every((key) => spanned([...batch, one], key) <= most);
    });
    if (batch) batch.push(one);
    else batches.push([one]);
  }
  for (const batch of batches) run(gpu, batch);
}

function run(gpu: Gpu, moves: readonly Move[]): void {
  const [from, to] = [spanOf(moves.map(({ from }) => from)), spanOf(moves.map(({ to }) => to))];
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
  using table = gpu.tensor(Int32Array.from([...items, ...groups.flat(), ...lists]));
  gpu.run(kernel, {
    bind: { x: from, table, y: to },
    params: { workgroups: groups.length, groups: items.length },
    constants: { RUN: length, PER: EACH / length },
    workgroups: groups.length,
  });
  from.dispose();
  to.dispose();
}

/** From the first number of some tensors in one buffer to the last. */
function spanOf(tensors: readonly Tensor[]): Tensor {
  const [{ gpu, storage }] = tensors as [Tensor, ...Tensor[]];
  const start = roundDown(Math.min(...tensors.map(({ offset }) => offset)));
  const end = Math.max(...tensors.map(({ offset, size }) => offset + size));
  return new Tensor(gpu, storage, [end - start], "f32", start);
}
