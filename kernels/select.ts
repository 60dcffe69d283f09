import workgroup from "../tensor/_index.wgsl" with { type: "text" };
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
  ofType("select", "x", x, "f32");
  const { gpu } = x;
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
  const y = gpu.empty(x.shape.with(axis, index.length));
  take(x, axis, Int32Array.from(index), y);
  record("select", [x], [y], ([dy]) => {
    const dx = emptyGradient(x);
    take(dy!, axis, inverse, dx);
    return [dx];
  });
  return y;
}

/** Writes entries of an axis by an index, 0 where it is below 0, to `y`. */
function take(x: Tensor, axis: number, index: Int32Array<ArrayBuffer>, y: Tensor): void {
  const { gpu } = x;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const { kernel, width } = kernels.pick(inner);
  using places = gpu.tensor(index);
  gpu.run(kernel, {
    bind: { x, index: places, y },
    params: { n: y.size / width, inner: inner / width, x_entries: x.shape[axis]!, y_entries: index.length },
    workgroups: Math.ceil(y.size / width / 64),
  });
}
