import { roundUp } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import { showShape, sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import { type Extents, type Index, move } from "./internal/index_select_moves.ts";

/** Entries to select along the first and the last axis of a tensor. */
export interface IndexSelection {
  /** Any shape, within one binding. */
  readonly x: Tensor;
  /** Indices along the first axis, all different, at least one; all unless given. */
  readonly rows?: readonly number[] | null;
  /** Indices along the last axis, which must not be the first; all unless given. */
  readonly columns?: readonly number[] | null;
}

/**
 * Selects entries along one axis, as torch.index_select, each at most once: a weight without the units that are pruned. The
 * gradient of the other entries is 0.
 *
 * @param x Any shape, within one binding.
 * @param axis Axis, from 0.
 * @param index Indices to select, all different, at least one.
 * @returns The shape of x, with one entry per index along the axis.
 * @throws {TypeError} If x is not f32.
 * @throws {RangeError} If x has no such axis, or if an index is out of range or repeated, or there is none.
 * @example
 * ```ts
 * import { indexSelect, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = indexSelect(gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]), 1, [0, 2]); // [[1, 3], [4, 6]]
 * console.log(await y.read());
 * ```
 */
export function indexSelect(x: Tensor, axis: number, index: readonly number[]): Tensor {
  const entries = x.shape[axis];
  if (entries === undefined) {
    throw new RangeError(`Cannot select entries as x must have axis ${axis}: it is ${showShape(x.shape)}`);
  }
  const inverse = inverseOf(index, entries);
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  // The last axis is read as columns; any other is merged with those before it and read as rows.
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
 * Selects entries of many tensors at once: a model's weights without the units that are pruned. Tensors of one buffer, as those
 * of an optimizer, take one dispatch, and their results lie in one buffer in the same order.
 *
 * @param selections Tensors, with the entries to select.
 * @returns The selected entries of each tensor.
 * @throws {TypeError} If a tensor is not f32.
 * @throws {RangeError} If an index is out of range or repeated, or a list of indices is empty.
 */
export function indexSelectAll(selections: readonly IndexSelection[]): Tensor[] {
  const [first] = selections;
  if (!first) return [];
  const { gpu } = first.x;
  const parts = selections.map(partOf);
  const xs = parts.map(({ x }) => x);
  const places = placesOf(parts);
  const ys = emptyAt(gpu, places);
  move(
    gpu,
    parts.map(({ x, rows, columns }, i) => {
      return { from: x, to: ys[i]!, extents: extentsOf(x.shape), rows, columns };
    }),
  );
  const slots = new OutputSlots(gpu, ys, places);
  const pullback = (dys: readonly (Tensor | null)[]) => {
    const all = slots.fill(dys);
    const dxs = xs.map((x) => gradientSlot(x));
    move(
      gpu,
      parts.map(({ shape, inverseRows: rows, inverseColumns: columns }, i) => {
        return { from: all[i]!, to: dxs[i]!, extents: extentsOf(shape), rows, columns };
      }),
    );
    for (const dy of all) dy.dispose();
    return dxs;
  };
  record("indexSelectAll", xs, ys, pullback, [], (y) => slots.take(y));
  return ys;
}

/** A selection with the shape of its result, and the inverse indices for the gradient. */
interface Part {
  readonly x: Tensor;
  readonly shape: readonly number[];
  readonly rows: Index | null;
  readonly columns: Index | null;
  readonly inverseRows: Index | null;
  readonly inverseColumns: Index | null;
}

function partOf({ x, rows, columns }: IndexSelection): Part {
  ofType("select entries", "x", x, "f32");
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
}

/** Memory for the gradients of the outputs, side by side as the outputs are, so that one dispatch reads all. */
class OutputSlots {
  readonly #gpu: Gpu;
  readonly #ys: readonly Tensor[];
  readonly #places: readonly Place[];
  readonly #taken = new Set<Tensor>();
  #slots: Tensor[] | null = null;

  constructor(gpu: Gpu, ys: readonly Tensor[], places: readonly Place[]) {
    this.#gpu = gpu;
    this.#ys = ys;
    this.#places = places;
  }

  /** The slot of an output, once. */
  take(y: Tensor): Tensor | null {
    if (this.#taken.has(y)) return null;
    this.#taken.add(y);
    // With gradient checkpointing, the first may be taken in a scope that ends before the others are taken.
    this.#slots ??= emptyAt(this.#gpu, this.#places).map((slot) => this.#gpu.keep(slot));
    return this.#slots[this.#ys.indexOf(y)]!.view();
  }

  /** All slots, after copying the gradients that were written elsewhere, and zeros where there is none. */
  fill(dys: readonly (Tensor | null)[]): Tensor[] {
    const slots = this.#slots ?? emptyAt(this.#gpu, this.#places);
    slots.forEach((slot, i) => {
      const dy = dys[i];
      if (dy?.storage === slot.storage && dy.offset === slot.offset) return;
      using zeros = dy ? null : this.#gpu.zeros(slot.shape);
      this.#gpu.copy(dy ?? zeros!, slot);
    });
    return slots;
  }
}

/** A tensor as [rows, middle, columns]. */
function extentsOf(shape: readonly number[]): Extents {
  if (shape.length < 2) return [shape[0] ?? 1, 1, 1];
  return [shape[0]!, sizeOf(shape.slice(1, -1)), shape.at(-1)!];
}

/** Index of each entry in the result, -1 for those not selected. */
function inverseOf(index: readonly number[], entries: number): Index {
  const inverse = new Int32Array(entries).fill(-1);
  index.forEach((entry, j) => {
    if (!(Number.isInteger(entry) && entry >= 0 && entry < entries && inverse[entry] === -1)) {
      throw new RangeError(
        `Cannot select entries as indices must be different whole numbers below ${entries}: index[${j}] is ${entry}`,
      );
    }
    inverse[entry] = j;
  });
  if (index.length === 0) throw new RangeError("Cannot select entries as there must be an index: found none");
  return inverse;
}

/** Where a result lies: the index of its buffer, one for each buffer of the inputs, and its first element there. */
interface Place {
  readonly shape: readonly number[];
  readonly buffer: number;
  readonly start: number;
}

function placesOf(parts: readonly { readonly x: Tensor; readonly shape: readonly number[] }[]): Place[] {
  const buffers = new Map<Storage, { readonly index: number; end: number }>();
  return parts.map(({ x, shape }) => {
    let buffer = buffers.get(x.storage);
    if (!buffer) buffers.set(x.storage, buffer = { index: buffers.size, end: 0 });
    const start = buffer.end;
    buffer.end = roundUp(start + sizeOf(shape));
    return { shape, buffer: buffer.index, start };
  });
}

/** Tensors without defined content in their places. */
function emptyAt(gpu: Gpu, places: readonly Place[]): Tensor[] {
  const ends: number[] = [];
  for (const { buffer, start, shape } of places) ends[buffer] = start + sizeOf(shape);
  const all = ends.map((end) => gpu.empty([end]));
  const tensors = places.map(({ buffer, start, shape }) => {
    return new Tensor(gpu, all[buffer]!.storage, shape, "f32", start);
  });
  for (const one of all) one.dispose();
  return tensors;
}
