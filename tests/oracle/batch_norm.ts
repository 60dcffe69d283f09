import { type Nd, nd } from "./nd.ts";

/** y[.., c] = (x[.., c] − mean[c])/√(variance[c] + eps)·w[c] + b[c]. x [.., C], the others [C]. */
export function batchNorm(x: Nd, w: Nd, b: Nd, mean: Nd, variance: Nd, eps = 1e-5): Nd {
  const C = w.data.length;
  return nd(
    x.shape,
    x.data.map((v, i) => {
      const c = i % C;
      return (v - mean.data[c]!) / Math.sqrt(variance.data[c]! + eps) * w.data[c]! + b.data[c]!;
    }),
  );
}
