import workgroup from "../tensor/_index.wgsl" with { type: "text" };
import { areMultiples } from "../tensor/fields.ts";
import { emptyRow, rowOf, rowOfGradients } from "../tensor/row_of_tensors.ts";
import { wideKernel } from "../tensor/rows.ts";
import { emptyGradient, record } from "../tensor/tape.ts";
import { showShape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { ofType } from "./checks.ts";
import source from "./select.wgsl" with { type: "text" };

const kernels = wideKernel("select", source, [workgroup]);

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
 * import { requestGpu, select } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = select(gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]), 1, [0, 2]); // [[1, 3], [4, 6]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function select(x: Tensor, axis: number, index: readonly number[]): Tensor {
  const inverse = check(x, axis, index);
  const y = x.gpu.empty(x.shape.with(axis, index.length));
  take(x, y, { axis, index: Int32Array.from(index) });
  record("select", [x], [y], ([dy]) => {
    const dx = emptyGradient(x);
    take(dy!, dx, { axis, index: inverse });
    return [dx];
  });
  return y;
}

/**
 * The same entries of the first axis of several tensors of one shape; at once where the tensors lie at equal distances in one
 * buffer, as what is left of them then does.
 *
 * @param xs Tensors.
 * @param index As for {@linkcode select}.
 */
export function selectEach(xs: readonly Tensor[], index: readonly number[]): Tensor[] {
  const x = rowOf(xs);
  if (!x) return xs.map((x) => select(x, 0, index));
  const [first] = xs as [Tensor, ...Tensor[]];
  const inverse = check(first, 0, index);
  const ys = emptyRow(first.gpu, xs.length, first.shape.with(0, index.length));
  takeEach(xs, ys, Int32Array.from(index));
  x.span.dispose();
  record("selectEach", xs, ys, (dys) => {
    const dxs = rowOfGradients(xs);
    const given = dys.map((dy, i) => dy?.view() ?? first.gpu.zeros(ys[i]!.shape));
    takeEach(given, dxs, inverse);
    for (const dy of given) dy.dispose();
    return dxs;
  });
  return ys;
}

/** The inverse of an index: where each entry goes, -1 for those left out. */
function check(x: Tensor, axis: number, index: readonly number[]): Int32Array<ArrayBuffer> {
  ofType("select", "x", x, "f32");
  const entries = x.shape[axis];
  if (entries === undefined) {
    throw new RangeError(`Cannot select as x must have axis ${axis}: it is ${showShape(x.shape)}`);
  }
  const inverse = new Int32Array(entries).fill(-1);
  index.forEach((entry, j) => {
    if (!(Number.isInteger(entry) && entry >= 0 && entry < entries && inverse[entry] === -1)) {
      throw new RangeError(
        `Cannot select as indices must be different whole numbers below ${entries}: index[${j}] is ${entry}`,
      );
    }
    inverse[entry] = j;
  });
  if (index.length === 0) throw new RangeError("Cannot select as there must be an index: found none");
  return inverse;
}

/** Entries of the first axis of each tensor. */
function takeEach(xs: readonly Tensor[], ys: readonly Tensor[], index: Int32Array<ArrayBuffer>): void {
  const [x, y] = [rowOf(xs), rowOf(ys)];
  const inner = sizeOf(xs[0]!.shape.slice(1));
  if (x && y) run(x.span, y.span, { outer: xs.length, inner, x: x.step, y: y.step, index });
  else xs.forEach((x, i) => take(x, ys[i]!, { axis: 0, index }));
  for (const row of [x, y]) row?.span.dispose();
}

/** Entries of an axis, 0 where the index is below 0. */
function take(x: Tensor, y: Tensor, { axis, index }: { axis: number; index: Int32Array<ArrayBuffer> }): void {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  run(x, y, { outer, inner, x: x.shape[axis]! * inner, y: index.length * inner, index });
}

/** A pass over `outer` blocks at distances `x` and `y`, of entries of `inner` numbers. */
interface Pass {
  readonly outer: number;
  readonly inner: number;
  readonly x: number;
  readonly y: number;
  readonly index: Int32Array<ArrayBuffer>;
}

function run(from: Tensor, to: Tensor, { outer, inner, x, y, index }: Pass): void {
  const { gpu } = from;
  const { kernel, width } = kernels.pick(areMultiples({ inner, x, y }, 4) ? 4 : 1);
  const n = outer * index.length * inner / width;
  using places = gpu.tensor(index);
  gpu.run(kernel, {
    bind: { x: from, index: places, y: to },
    params: {
      n,
      inner: inner / width,
      y_entries: index.length,
      x_outer: x / width,
      y_outer: y / width,
    },
    workgroups: Math.ceil(n / 64),
  });
}
