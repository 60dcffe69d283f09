/**
 * Deterministic inputs for the benchmark, and tools to compare results of libraries with different layouts.
 *
 * @module
 */

/** A tensor on the host, in row-major order. */
export interface HostTensor {
  values: Float32Array<ArrayBuffer>;
  shape: number[];
}

/** Uniform random values in [-1, 1), a pure function of seed and index (the 32-bit finalizer of MurmurHash3 on a counter). */
export function uniform(n: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(n);
  const offset = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < n; i++) {
    let h = (i + offset) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    // 24 bits, so that every value is exact in float32.
    values[i] = (h >>> 8) / 0x800000 - 1;
  }
  return values;
}

/** A tensor of uniform random values in [-scale, scale). */
export function uniformTensor(shape: number[], seed: number, scale = 1): HostTensor {
  const values = uniform(sizeOf(shape), seed);
  return { values: scale === 1 ? values : values.map((value) => value * scale), shape };
}

/** The number of elements of a shape. */
export function sizeOf(shape: number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Permutes the axes of a tensor: axis i of the result is axis `axes[i]` of the input. */
export function permute({ values, shape }: HostTensor, axes: number[]): HostTensor {
  const stride = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const outShape = axes.map((axis) => shape[axis]!);
  const outStride = axes.map((axis) => stride[axis]!);
  const result = new Float32Array(values.length);
  const index = outShape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from]!;
    for (let axis = outShape.length - 1; axis >= 0; axis--) {
      const next = index[axis]! + 1;
      const wraps = next === outShape[axis];
      index[axis] = wraps ? 0 : next;
      from += outStride[axis]! * (wraps ? 1 - next : 1);
      if (!wraps) break;
    }
  }
  return { values: result, shape: outShape };
}

/** Eight values spread over a tensor and its last axis, enough to detect a wrong result. */
export function sample(values: Float32Array): Float32Array {
  const n = values.length;
  return Float32Array.from(
    { length: Math.min(8, n) },
    (_, i) => values[(Math.floor((i * n) / 8) + 37 * i) % n]!,
  );
}
