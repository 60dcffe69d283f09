// What a GEMM computes: its operands in memory, its output and its epilogue.
import type { Tensor } from "../../tensor/tensor.ts";
import type { GemmExtents } from "./choice.ts";

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
  /** Tensor that holds the images, f32 or f16. */
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
export interface GemmOutput {
  /** Tensor that is written, f32 or f16; sums are f32, but for what is added to what C holds. */
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
export interface GemmProblem {
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
  readonly c: GemmOutput;
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
export function batchOf(gemm: GemmProblem): readonly [number, number] {
  return gemm.batch ?? [1, 1];
}

/** The extents that decide which kernel is fastest. */
export function extentsOf(gemm: GemmProblem): GemmExtents {
  const { m, n, k: [k1, k2] } = gemm;
  const [z1, z2] = batchOf(gemm);
  return { m, n, terms: k1 * k2, items: z1 * z2 };
}
