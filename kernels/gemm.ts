import type { Gpu } from "../tensor/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fitsTexture, runTexture } from "./gemm_texture.ts";
import { fitsTile, runTile } from "./gemm_tile.ts";

/**
 * One operand of a product, as images of rows and columns in a buffer. For A, the element of row m and
 * reduction index (k1, k2) in item (z1, z2) is row y, column x of image (z1, z2, k1):
 *
 *     along k:  y = y0 + m·step + k1·tap + z2·z2Step,   x = k2
 *     else:     y = y0 + k2·step + k1·tap + z2·z2Step,  x = m
 *
 * and zero where y is no row of the image. B is alike, with column n for m. Rows of an image may overlap, which
 * is what makes a convolution a product without im2col.
 */
export interface Operand {
  /** Tensor that holds the images. */
  readonly tensor: Tensor;
  /** First element of the first image; 0 unless given. */
  readonly offset?: number;
  /** Rows of an image. */
  readonly height: number;
  /** Elements between the starts of two rows. */
  readonly row: number;
  /** Whether the inner reduction index runs along the rows. */
  readonly alongK: boolean;
  /** Image row of the first index; 0 unless given. */
  readonly y0?: number;
  /** Image rows per step of the index that does not run along the rows; 1 unless given. */
  readonly step?: number;
  /** Image rows per step of k1; 0 unless given. */
  readonly tap?: number;
  /** Image rows per step of z2; 0 unless given. */
  readonly z2Step?: number;
  /** Elements between the images of two z1; 0 (shared) unless given. */
  readonly z1?: number;
  /** Elements between the images of two z2; 0 (shared) unless given. */
  readonly z2?: number;
  /** Elements between the images of two k1; 0 (the same image) unless given. */
  readonly k1?: number;
}

/** Where a product goes: element (z1, z2, m, n) at offset + z1·`z1` + z2·`z2` + m·`row` + n. */
export interface Product {
  /** Tensor that is written. */
  readonly tensor: Tensor;
  /** First element; 0 unless given. */
  readonly offset?: number;
  /** Elements between rows. */
  readonly row: number;
  /** Whether what lies between a row's last column and the next multiple of four may be overwritten. */
  readonly padded?: boolean;
  /** Elements between two z1; 0 unless given. */
  readonly z1?: number;
  /** Elements between two z2; 0 unless given. */
  readonly z2?: number;
}

/** A vector that an epilogue reads: element offset + z2·`z2` + n·`n`. */
export interface Vector {
  /** Tensor that is read. */
  readonly tensor: Tensor;
  /** First element; 0 unless given. */
  readonly offset?: number;
  /** Elements between two z2; 0 unless given. */
  readonly z2?: number;
  /** Elements between two columns, 1 or 0; 1 unless given. */
  readonly n?: number;
}

/** A batched product with its epilogue: u = A·B (+ C) (+ bias); C = u, or gelu(u) · gate (+ residual). */
export interface Gemm {
  /** Rows of C. */
  readonly m: number;
  /** Columns of C. */
  readonly n: number;
  /** Outer and inner extent of the reduction. */
  readonly k: readonly [number, number];
  /** Extents of the batch indices z1 and z2; [1, 1] unless given. */
  readonly batch?: readonly [number, number];
  /** Left operand. */
  readonly a: Operand;
  /** Right operand. */
  readonly b: Operand;
  /** Where the product goes. */
  readonly c: Product;
  /** Adds to what C holds. */
  readonly accumulate?: boolean;
  /** Added to every row. */
  readonly bias?: Vector;
  /** Applies GELU. */
  readonly gelu?: boolean;
  /** Receives u, at the addresses of C. */
  readonly pre?: Tensor;
  /** Multiplies the columns. */
  readonly gate?: Vector;
  /** Added at the end, read at the addresses of C. */
  readonly residual?: Tensor;
}

/** The extents of a product's batch, z1 and z2. */
export function batchOf(gemm: Gemm): readonly [number, number] {
  return gemm.batch ?? [1, 1];
}

/**
 * Computes a batched product on the device, split where an operand exceeds a binding, a texture or the length of
 * a sum.
 *
 * @example
 * ```ts
 * // c = a·bᵀ, a [m, k], b [n, k]
 * gemm(gpu, {
 *   m, n, k: [1, k],
 *   a: { tensor: a, height: m, row: k, alongK: true },
 *   b: { tensor: b, height: n, row: k, alongK: true },
 *   c: { tensor: c, row: n },
 * });
 * ```
 */
export function gemm(gpu: Gpu, problem: Gemm): void {
  const [z1, z2] = batchOf(problem);
  const { m, n, k } = problem;
  if (m * n * z1 * z2 === 0) return;
  if (k[0] * k[1] === 0) throw new RangeError("Cannot multiply as the inner size must not be 0");
  const merged = mergeTaps(problem, gpu.gemm === "tile" ? Infinity : 16);
  const fits = gpu.gemm === "tile" ? fitsTile : fitsTexture;
  if (!fits(gpu, merged)) {
    for (const half of halves(merged)) gemm(gpu, half);
  } else if (gpu.gemm === "tile") runTile(gpu, merged);
  else runTexture(gpu, merged);
}

/** Takes (k1, k2) as one index where both operands run through it without a gap, if k2 is below `limit`. */
function mergeTaps(problem: Gemm, limit: number): Gemm {
  const { a, b, k: [k1, k2], m, n } = problem;
  if (k1 === 1 || k2 >= limit) return problem;
  const runs = (operand: Operand, extent: number) =>
    operand.alongK && (operand.k1 ?? 0) === 0 && !operand.z2Step &&
    (operand.tap ?? 0) * operand.row === k2 && (operand.y0 ?? 0) === 0 &&
    (extent - 1) * (operand.step ?? 1) + (k1 - 1) * operand.tap! < operand.height;
  if (!runs(a, m) || !runs(b, n)) return problem;
  const flat = (operand: Operand, height: number): Operand => ({
    ...operand,
    height,
    row: operand.row * (operand.step ?? 1),
    step: 1,
    tap: 0,
  });
  return { ...problem, k: [1, k1 * k2], a: flat(a, m), b: flat(b, n) };
}

/** Two products that together are the given one: half of the batch, the rows, the columns or the reduction. */
function halves(problem: Gemm): Gemm[] {
  const { m, n, k: [k1, k2], a, b, c } = problem;
  const [z1, z2] = batchOf(problem);
  const moved = (operand: Operand, elements: number, rows = 0): Operand => ({
    ...operand,
    offset: (operand.offset ?? 0) + elements,
    y0: (operand.y0 ?? 0) + rows,
  });
  const place = (elements: number) => ({ ...c, offset: (c.offset ?? 0) + elements });
  const vector = (v: Vector | undefined, elements: (v: Vector) => number) =>
    v && { ...v, offset: (v.offset ?? 0) + elements(v) };
  const along = (operand: Operand, inner: boolean, count: number) =>
    operand.alongK === inner ? moved(operand, count) : moved(operand, 0, count * (operand.step ?? 1));
  const epilogue = (elements: (v: Vector) => number) => {
    const bias = vector(problem.bias, elements);
    const gate = vector(problem.gate, elements);
    return { ...(bias && { bias }), ...(gate && { gate }) };
  };

  if (z1 > 1) {
    const h = z1 >> 1;
    const rest = {
      a: moved(a, h * (a.z1 ?? 0)),
      b: moved(b, h * (b.z1 ?? 0)),
      c: place(h * (c.z1 ?? 0)),
    };
    return [{ ...problem, batch: [h, z2] }, { ...problem, ...rest, batch: [z1 - h, z2] }];
  }
  if (z2 > 1) {
    const h = z2 >> 1;
    const rest = {
      a: moved(a, h * (a.z2 ?? 0), h * (a.z2Step ?? 0)),
      b: moved(b, h * (b.z2 ?? 0), h * (b.z2Step ?? 0)),
      c: place(h * (c.z2 ?? 0)),
      ...epilogue((v) => h * (v.z2 ?? 0)),
    };
    return [{ ...problem, batch: [1, h] }, { ...problem, ...rest, batch: [1, z2 - h] }];
  }
  if (k1 * k2 > 64 && k1 * k2 >= Math.max(m, n)) {
    const { bias: _bias, gelu: _gelu, pre: _pre, gate: _gate, residual: _residual, ...raw } = problem;
    if (k1 > 1) {
      const h = k1 >> 1;
      const shift = (o: Operand) => moved(o, h * (o.k1 ?? 0), h * (o.tap ?? 0));
      const rest = { a: shift(a), b: shift(b), accumulate: true };
      return [{ ...raw, k: [h, k2] }, { ...problem, ...rest, k: [k1 - h, k2] }];
    }
    const h = Math.ceil(k2 / 8) * 4;
    const rest = { a: along(a, true, h), b: along(b, true, h), accumulate: true };
    return [{ ...raw, k: [1, h] }, { ...problem, ...rest, k: [1, k2 - h] }];
  }
  if (m >= n && m > 1) {
    const h = m > 32 ? Math.ceil(m / 32) * 16 : m >> 1;
    const rest = { a: along(a, false, h), c: place(h * c.row) };
    return [{ ...problem, m: h }, { ...problem, ...rest, m: m - h }];
  }
  if (n > 1) {
    const h = n > 32 ? Math.ceil(n / 32) * 16 : n >> 1;
    const rest = {
      b: along(b, false, h),
      c: place(h),
      ...epilogue((v) => h * (v.n ?? 1)),
    };
    return [{ ...problem, n: h }, { ...problem, ...rest, n: n - h }];
  }
  throw new RangeError("Cannot multiply as a single row exceeds the limits of the adapter");
}
