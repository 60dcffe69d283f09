import { record } from "../tensor/tape.ts";
import { showShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { gemm } from "./gemm/gemm.ts";
import { ofFloats, sameDevice } from "./internal/checks.ts";

/** Options of {@linkcode matmul}. */
export interface MatmulOptions {
  /** Transposes each matrix of `a`. */
  readonly transposeA?: boolean;
  /** Transposes each matrix of `b`. */
  readonly transposeB?: boolean;
}

/**
 * Batched matrix multiplication, as torch.bmm: leading dimensions are equal.
 *
 * @param a Left matrices, [..., M, K], or [..., K, M] if transposed.
 * @param b Right matrices, [..., K, N], or [..., N, K] if transposed.
 * @returns [..., M, N]
 * @throws {TypeError} If inner sizes or leading dimensions differ, or if an operand is not f32.
 * @example
 * ```ts
 * import { matmul, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const c = matmul(gpu.tensor([1, 2], [1, 2]), gpu.tensor([3, 4], [2, 1])); // [[11]]
 * console.log(await c.read());
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  sameDevice("multiply", a, b);
  ofFloats("multiply", { a, b });
  const { transposeA = false, transposeB = false } = options;
  const show = () => `a is ${showShape(a.shape)}, b is ${showShape(b.shape)}`;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new TypeError(`Cannot multiply as operands must be matrices: ${show()}`);
  }
  const lead = a.shape.slice(0, -2);
  if (lead.join() !== b.shape.slice(0, -2).join()) {
    throw new TypeError(`Cannot multiply as leading dimensions must be equal: ${show()}`);
  }
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [n, kOfB] = transposeB ? [bRows, bColumns] : [bColumns, bRows];
  if (k !== kOfB) throw new TypeError(`Cannot multiply as inner sizes must be equal: ${show()}`);

  const y = a.gpu.empty([...lead, m, n]);
  gemm(a.gpu, {
    m,
    n,
    k: [1, k],
    batch: [sizeOf(lead), 1],
    a: { tensor: a, height: aRows, row: aColumns, z1Stride: aRows * aColumns, alongK: !transposeA },
    b: { tensor: b, height: bRows, row: bColumns, z1Stride: bRows * bColumns, alongK: transposeB },
    c: { tensor: y, row: n, z1Stride: m * n },
  });
  record("matmul", [a, b], [y], ([dy], [needsA, needsB]) => {
    // y = op(a)·op(b): d op(a) = dy·op(b)ᵀ, d op(b) = op(a)ᵀ·dy; each is transposed where op transposes.
    const da = !needsA
      ? null
      : transposeA
      ? matmul(b, dy!, { transposeA: transposeB, transposeB: true })
      : matmul(dy!, b, { transposeB: !transposeB });
    const db = !needsB
      ? null
      : transposeB
      ? matmul(dy!, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dy!, { transposeA: !transposeA });
    return [da, db];
  });
  return y;
}
