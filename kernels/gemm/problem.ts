// Types of a GEMM: its operands in memory, its output and its epilogue.
import { elementBytes } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GemmExtents } from "./choice.ts";

/**
 * One operand of a GEMM, as images of rows and columns in a buffer. K has two indices, (k1, k2). For A, the element of row m and
 * (k1, k2) in item (z1, z2) of the batch is row y, column x of image (z1, z2, k1):
 *
 *     along k:  y = y0 + m·step + k1·tap + z2·z2Step,   x = k2
 *     else:     y = y0 + k2·step + k1·tap + z2·z2Step,  x = m
 *
 * and zero where y is outside the image. B is alike, with column n for m. Rows may overlap in memory, which makes a convolution
 * a GEMM without im2col (implicit GEMM); `docs/kernels.md` draws it.
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
  /** Whether k2 runs along the rows. */
  readonly alongK: boolean;
  /** Image row of the first index; 0 unless given. */
  readonly y0?: number;
  /** Image rows from one index to the next of the one that does not run along the rows; 1 unless given. */
  readonly step?: number;
  /** Image rows from one k1 to the next; 0 unless given. */
  readonly tap?: number;
  /** Image rows from one z2 to the next; 0 unless given. */
  readonly z2Step?: number;
  /** Elements between the images of two z1; 0 (shared) unless given. */
  readonly z1Stride?: number;
  /** Elements between the images of two z2; 0 (shared) unless given. */
  readonly z2Stride?: number;
  /** Elements between the images of two k1; 0 (the same image) unless given. */
  readonly k1Stride?: number;
}

/** Where C goes: element (z1, z2, m, n) at offset + z1·`z1Stride` + z2·`z2Stride` + m·`row` + n. */
export interface GemmOutput {
  /** Tensor that is written, f32 or f16; sums are f32, except that of `accumulate`. */
  readonly tensor: Tensor;
  /** First element; 0 unless given. */
  readonly offset?: number;
  /** Elements between rows. */
  readonly row: number;
  /** Whether the padding of a row's columns to a multiple of four may be overwritten. */
  readonly padded?: boolean;
  /** Elements between two z1; 0 unless given. */
  readonly z1Stride?: number;
  /** Elements between two z2; 0 unless given. */
  readonly z2Stride?: number;
}

/** A vector that an epilogue reads: element offset + z2·`z2Stride` + n·`nStride`. */
export interface Vector {
  /** Tensor that is read. */
  readonly tensor: Tensor;
  /** First element; 0 unless given. */
  readonly offset?: number;
  /** Elements between two z2; 0 unless given. */
  readonly z2Stride?: number;
  /** Elements between two columns, 1 or 0; 1 unless given. */
  readonly nStride?: number;
}

/** A batched GEMM with its epilogue: u = A·B (+ C) (+ bias); C = u, or gelu(u) · gate (+ residual). */
export interface GemmProblem {
  /** Rows of C. */
  readonly m: number;
  /** Columns of C. */
  readonly n: number;
  /** Extents of k1 and k2: taps and channels of a convolution; a plain matmul has k1 = 1. */
  readonly k: readonly [number, number];
  /** Extents of the batch indices z1 and z2; [1, 1] unless given. */
  readonly batch?: readonly [number, number];
  /** Left operand. */
  readonly a: Operand;
  /** Right operand. */
  readonly b: Operand;
  /** Output. */
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

/** The extents of a GEMM's batch, z1 and z2. */
export function batchOf(gemm: Pick<GemmProblem, "batch">): readonly [number, number] {
  return gemm.batch ?? [1, 1];
}

/** The extents that decide which kernel is fastest. */
export function extentsOf(gemm: GemmProblem): GemmExtents {
  const { m, n, k: [k1, k2] } = gemm;
  const [z1, z2] = batchOf(gemm);
  return { m, n, k: k1 * k2, batch: z1 * z2 };
}

/** The key that {@linkcode planKey} returns, filled anew by each call. */
const key: number[] = [];

/**
 * Key of all that a GEMM's plan depends on: its extents, strides and parts, and how its tensors lie in their buffers. Bindings and
 * texels depend on the offset in a buffer only modulo 128 elements.
 *
 * @returns The key, until the next call.
 */
export function planKey(gemm: GemmProblem): readonly number[] {
  const { m, n, k: [k1, k2], batch, a, b, c, accumulate, bias, gelu, pre, gate, residual } = gemm;
  key.length = 0;
  key.push(m, n, k1, k2, batch?.[0] ?? 1, batch?.[1] ?? 1, accumulate ? 1 : 0, gelu ? 1 : 0);
  addOperand(a);
  addOperand(b);
  addPlacement(c.tensor);
  key.push(c.offset ?? 0, c.row, c.padded ? 1 : 0, c.z1Stride ?? 0, c.z2Stride ?? 0);
  addVector(bias);
  addVector(gate);
  addPlacement(pre);
  addPlacement(residual);
  return key;
}

function addOperand(operand: Operand): void {
  const { tensor, offset = 0, height, row, alongK, y0 = 0, step = 1, tap = 0, z2Step = 0 } = operand;
  addPlacement(tensor);
  key.push(tensor.storage.entry.bytes, offset, height, row, alongK ? 1 : 0, y0, step, tap, z2Step);
  key.push(operand.z1Stride ?? 0, operand.z2Stride ?? 0, operand.k1Stride ?? 0);
}

function addPlacement(tensor: Tensor | undefined): void {
  if (tensor) key.push(elementBytes(tensor.dtype), tensor.size, tensor.offset % 128);
  else key.push(-1);
}

function addVector(vector: Vector | undefined): void {
  if (vector) key.push(vector.offset ?? 0, vector.z2Stride ?? 0, vector.nStride ?? 1);
  else key.push(-1);
}
