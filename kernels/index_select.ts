import { roundUp } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import { showShape, sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import { type Extents, type Index, move } from "./internal/index_select_moves.ts";

/** Entries of a tensor's first and last axis, each at most once. */
export interface IndexSelection {
  /** Any shape, within one binding. */
  readonly x: Tensor;
  /** Numbers of the entries of the first axis, at least one; all unless given. */
  readonly rows?: readonly number[] | null;
  /** Numbers of the entries of the last axis, which must not be the first; all unless given. */
  readonly columns?: readonly number[] | null;
}

/**
 * Entries of one axis by their numbers, each at most once: what is left of a weight when units are cut out of it. The
 * gradient of the others is 0.
 *
 * @param x Any shape, within one binding.
 * @param axis Axis, from 0.
 * @param index Numbers of the entries to take, all different, at least one.
 * @returns The shape of x, with as many entries along the axis as there are indices.
 * @throws {TypeError} If x is not f32.
 * @throws {RangeError} If x has no such axis, or an index is no entry of it, comes twice, or is missing.
 * @example
 * ```ts
 * import { requestGpu, indexSelect } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = indexSelect(gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]), 1, [0, 2]); // [[1, 3], [4, 6]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function indexSelect(x: Tensor, axis: number, index: readonly number[]): Tensor {
  const entries = x.shape[axis];
  if (entries === undefined) {
    throw new RangeError(`Cannot indexSelect as x must have axis ${axis}: it is ${showShape(x.shape)}`);
  }
  const inverse = inverseOf(index, entries);
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  // Columns of all rows, or else rows, the axis and those before it being one.
  const last = axis > 0 && inner === 1;
  const entriesOf = (list: Iterable<number>, of: number) => {
    if (last) return { rows: null, columns: Int32Array.from(list) };
    const rows = Array.from({ length: outer }, (_, o) => Array.from(list, (n) => n < 0 ? -1 : o * of + n));
    return { rows: Int32Array.from(rows.flat()), columns: null };
  };
  const extents = (along: number): Extents => last ? [outer, 1, along] : [outer * along, 1, inner];
  const y = x.gpu.empty(x.shape.with(axis, index.length));
  move(x.gpu, [{ from: x, to: y, extents: extents(entries), ...entriesOf(index, entries) }]);
  record("indexSelect", [x], [y], ([dy]) => {
    const dx = gradientSlot(x);
    move(x.gpu, [{ from: dy!, to: dx, extents: extents(index.length), ...entriesOf(inverse, index.length) }]);
    return [dx];
  });
  return y;
}

/**
 * Entries of many tensors: what is left of a model's weights when units are cut out. One dispatch does all tensors that lie in one
 * buffer, as those of an optimizer do; what is left of them lies in one buffer, too, in their order.
 *
 * @param selections What to take of which tensor.
 * @returns What is left of each.
 * @throws {TypeError} If a tensor is not f32.
 * @throws {RangeError} If an index is no entry, comes twice, or is missing.
 */
export function indexSelectAll(selections: readonly IndexSelection[]): Tensor[] {
  const [first] = selections;
  if (!first) return [];
  const { gpu } = first.x;
  const parts = selections.map(({ x, rows, columns }) => {
    ofType("indexSelect", "x", x, "f32");
    const [height, , width] = extentsOf(x.shape);
    const shape = [...x.shape];
    if (rows) shape[0] = rows.length;
    if (columns) shape[shape.length - 1] = columns.length;
    return {
      x,
      shape,
      rows: rows ? Int32Array.from(rows) : null,
      columns: columns ? Int32Array.from(columns) : null,
      inverseRows: rows ? inverseOf(rows, height) : null,
      inverseColumns: columns ? inverseOf(columns, width) : null,
    };
  });
  const homes = homesOf(parts);
  const ys = place(gpu, homes);
  move(
    gpu,
    parts.map(({ x, rows, columns }, i) => ({
      from: x,
      to: ys[i]!,
      extents: extentsOf(x.shape),
      rows,
      columns,
    })),
  );
  // Gradients of what is left are written side by side as well; the first may be asked for where layers are computed again,
  // in a scope that ends before the others are.
  let slots: Tensor[] | null = null;
  const given = new Set<Tensor>();
  const slot = (y: Tensor) => {
    if (given.has(y)) return null;
    given.add(y);
    slots ??= place(gpu, homes).map((home) => gpu.keep(home));
    return slots[ys.indexOf(y)]!.view();
  };
  record(
    "indexSelectAll",
    parts.map(({ x }) => x),
    ys,
    (dys) => {
      const all = slots ?? place(gpu, homes);
      all.forEach((home, i) => {
        const dy = dys[i];
        if (dy?.storage === home.storage && dy.offset === home.offset) return;
        using zeros = dy ? null : gpu.zeros(home.shape);
        gpu.copy(dy ?? zeros!, home);
      });
      const dxs = parts.map(({ x }) => gradientSlot(x));
      move(
        gpu,
        parts.map(({ shape, inverseRows, inverseColumns }, i) => {
          return {
            from: all[i]!,
            to: dxs[i]!,
            extents: extentsOf(shape),
            rows: inverseRows,
            columns: inverseColumns,
          };
        }),
      );
      for (const home of all) home.dispose();
      return dxs;
    },
    [],
    slot,
  );
  return ys;
}

/** A tensor as [rows, middle, columns]. */
function extentsOf(shape: readonly number[]): Extents {
  if (shape.length < 2) return [shape[0] ?? 1, 1, 1];
  return [shape[0]!, sizeOf(shape.slice(1, -1)), shape.at(-1)!];
}

/** Where each entry goes, -1 for those left out. */
function inverseOf(index: readonly number[], entries: number): Index {
  const inverse = new Int32Array(entries).fill(-1);
  index.forEach((entry, j) => {
    if (!(Number.isInteger(entry) && entry >= 0 && entry < entries && inverse[entry] === -1)) {
      throw new RangeError(
        `Cannot indexSelect as indices must be different whole numbers below ${entries}: index[${j}] is ${entry}`,
      );
    }
    inverse[entry] = j;
  });
  if (index.length === 0) throw new RangeError("Cannot indexSelect as there must be an index: found none");
  return inverse;
}

/** Where what is left of a tensor goes: a buffer for each of theirs, and places in it. */
interface Home {
  readonly shape: readonly number[];
  readonly buffer: number;
  readonly start: number;
}

function homesOf(parts: readonly { readonly x: Tensor; readonly shape: readonly number[] }[]): Home[] {
  const buffers = new Map<Storage, { readonly number: number; end: number }>();
  return parts.map(({ x, shape }) => {
    let buffer = buffers.get(x.storage);
    if (!buffer) buffers.set(x.storage, buffer = { number: buffers.size, end: 0 });
    const start = buffer.end;
    buffer.end = roundUp(start + sizeOf(shape));
    return { shape, buffer: buffer.number, start };
  });
}

/** Tensors without defined content in their homes. */
function place(gpu: Gpu, homes: readonly Home[]): Tensor[] {
  const ends: number[] = [];
  for (const { buffer, start, shape } of homes) ends[buffer] = start + sizeOf(shape);
  const all = ends.map((end) => gpu.empty([end]));
  const tensors = homes.map(({ buffer, start, shape }) => {
    return new Tensor(gpu, all[buffer]!.storage, shape, "f32", start);
  });
  for (const one of all) one.dispose();
  return tensors;
}
