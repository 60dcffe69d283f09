// Arrays of the oracles: float64, row-major, with nothing shared with the GPU code.
import { philox, uniforms } from "./uniform.ts";

/** A row-major float64 array; shape `[]` is a scalar. */
export type Nd = { shape: number[]; data: Float64Array };

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, 1);
}

/** An array of the given shape; zeros when no data is given. The data are copied. */
export function nd(shape: readonly number[], data?: ArrayLike<number>): Nd {
  const size = sizeOf(shape);
  if (data !== undefined && data.length !== size) {
    throw new TypeError(
      `Cannot make an array as shape and data must agree: [${shape}] holds ${size}, data are ${data.length}`,
    );
  }
  return {
    shape: [...shape],
    data: data === undefined ? new Float64Array(size) : Float64Array.from(data),
  };
}

/**
 * Normally distributed random numbers of mean 0 and standard deviation `scale`, equal for equal
 * seeds. Each is a float32 value, so that a GPU kernel and the oracle have equal inputs.
 */
export function randomNd(shape: readonly number[], seed: number, scale = 1): Nd {
  const out = nd(shape);
  for (let i = 0; i < out.data.length; i += 4) {
    const u = uniforms(philox([i / 4, 0, 0, 0], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]));
    for (let j = 0; j < 4 && i + j < out.data.length; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - u[j & 2]!));
      const angle = 2 * Math.PI * u[(j & 2) + 1]!;
      out.data[i + j] = Math.fround(scale * radius * (j & 1 ? Math.sin(angle) : Math.cos(angle)));
    }
  }
  return out;
}

/** Zeros and ones, each 1 with probability `p`, equal for equal seeds. */
export function randomMask(shape: readonly number[], seed: number, p = 0.5): Nd {
  const out = nd(shape);
  for (let i = 0; i < out.data.length; i++) {
    const u = uniforms(philox([i, 1, 0, 0], [seed >>> 0, 0]));
    out.data[i] = u[0]! < p ? 1 : 0;
  }
  return out;
}

/** The array with its axes reordered: axis i of the result is axis `axes[i]` of x. */
export function permute(x: Nd, axes: readonly number[]): Nd {
  const rank = x.shape.length;
  if (
    axes.length !== rank ||
    axes.toSorted((a, b) => a - b).some((axis, i) => axis !== i)
  ) {
    throw new TypeError(
      `Cannot permute as every axis must be named once: x is [${x.shape}], axes are [${axes}]`,
    );
  }
  const strides = x.shape.map((_, i) => sizeOf(x.shape.slice(i + 1)));
  const out = nd(axes.map((axis) => x.shape[axis]!));
  const index = new Array<number>(rank).fill(0);
  for (let n = 0; n < out.data.length; n++) {
    let from = 0;
    for (let i = 0; i < rank; i++) from += index[i]! * strides[axes[i]!]!;
    out.data[n] = x.data[from]!;
    for (let i = rank - 1; i >= 0; i--) {
      index[i]!++;
      if (index[i]! < out.shape[i]!) break;
      index[i] = 0;
    }
  }
  return out;
}

/** The same elements under another shape of equal size. */
export function reshape(x: Nd, shape: readonly number[]): Nd {
  return nd(shape, x.data);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Sum of the products of two arrays of equal shape. */
export function dot(a: Nd, b: Nd): number {
  if (!sameShape(a.shape, b.shape)) {
    throw new TypeError(
      `Cannot take a dot product as shapes must be equal: a is [${a.shape}], b is [${b.shape}]`,
    );
  }
  let total = 0;
  for (let i = 0; i < a.data.length; i++) total += a.data[i]! * b.data[i]!;
  return total;
}

/**
 * Gradient of sum(f · cotangent) with respect to `inputs[wrt]`, by central differences: two
 * calls of `f` per element. The error is near step²/6 times the third derivative.
 */
export function centralDifference(
  f: (inputs: Nd[]) => Nd,
  inputs: readonly Nd[],
  wrt: number,
  cotangent: Nd,
  step = 1e-4,
): Nd {
  const moved = inputs.map(copy);
  const x = moved[wrt]!;
  const out = nd(x.shape);
  for (let i = 0; i < x.data.length; i++) {
    const at = x.data[i]!;
    x.data[i] = at + step;
    const above = copy(f(moved));
    x.data[i] = at - step;
    const below = f(moved);
    x.data[i] = at;
    out.data[i] = slope(above, below, cotangent, step);
  }
  return out;
}

/**
 * Derivative of sum(f · cotangent) along `direction` in `inputs[wrt]`, by one central
 * difference; it equals the dot product of the gradient and the direction. For inputs too large
 * for {@linkcode centralDifference}.
 */
export function directionalDifference(
  f: (inputs: Nd[]) => Nd,
  inputs: readonly Nd[],
  wrt: number,
  cotangent: Nd,
  direction: Nd,
  step = 1e-4,
): number {
  if (!sameShape(inputs[wrt]!.shape, direction.shape)) {
    throw new TypeError(
      `Cannot differentiate as the direction must have the input's shape: input is [${
        inputs[wrt]!.shape
      }], direction is [${direction.shape}]`,
    );
  }
  const shifted = (by: number) =>
    f(inputs.map((x, i) =>
      nd(x.shape, i === wrt ? x.data.map((v, j) => v + by * direction.data[j]!) : x.data)
    ));
  return slope(shifted(step), shifted(-step), cotangent, step);
}

// f may return one of its inputs, which the next step would change.
const copy = (x: Nd) => nd(x.shape, x.data);

// Differences are taken before the sum, which keeps the rounding of large outputs out of it.
function slope(above: Nd, below: Nd, cotangent: Nd, step: number): number {
  const difference = nd(above.shape, above.data.map((v, i) => v - below.data[i]!));
  return dot(difference, cotangent) / (2 * step);
}

/** An array whose rows, along the last axis, are cut or padded with zeros to `columns` elements. */
export function resizeRows(x: Nd, columns: number): Nd {
  const width = x.shape.at(-1)!;
  const y = nd([...x.shape.slice(0, -1), columns]);
  for (let row = 0; row * width < x.data.length; row++) {
    y.data.set(x.data.subarray(row * width, row * width + Math.min(width, columns)), row * columns);
  }
  return y;
}
