import { type Nd, nd, sameShape, sizeOf } from "./nd.ts";

/**
 * y = A·B per leading batch index. a is [.., M, K] and b [.., K, N]; with `transposeA`, a is
 * stored [.., K, M]; with `transposeB`, b is stored [.., N, K].
 */
export function matmul(
  a: Nd,
  b: Nd,
  { transposeA = false, transposeB = false }: {
    transposeA?: boolean;
    transposeB?: boolean;
  } = {},
): Nd {
  const batch = a.shape.slice(0, -2);
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [M, K] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, N] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (
    a.shape.length < 2 || K !== inner ||
    !sameShape(batch, b.shape.slice(0, -2))
  ) {
    throw new TypeError(
      `Cannot multiply as inner and batch sizes must be equal: a is [${a.shape}], b is [${b.shape}]`,
    );
  }
  const y = nd([...batch, M, N]);
  for (let n = 0; n < sizeOf(batch); n++) {
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        let total = 0;
        for (let k = 0; k < K; k++) {
          const left = transposeA ? k * M + i : i * K + k;
          const right = transposeB ? j * K + k : k * N + j;
          total += a.data[n * M * K + left]! * b.data[n * K * N + right]!;
        }
        y.data[(n * M + i) * N + j] = total;
      }
    }
  }
  return y;
}
