import { type Nd, nd } from "./nd.ts";

/** w[:, k, :] = g[k] · v[:, k, :] / ‖v[:, k, :]‖₂. v [C, K, C/G], g [K]; w like v. */
export function weightNorm(v: Nd, g: Nd): Nd {
  const [C, K, width] = v.shape as [number, number, number];
  if (v.shape.length !== 3 || g.data.length !== K) {
    throw new TypeError(
      `Cannot norm a weight as there must be one g per tap: v is [${v.shape}], g is [${g.shape}]`,
    );
  }
  const w = nd(v.shape);
  for (let k = 0; k < K; k++) {
    let squares = 0;
    for (let o = 0; o < C; o++) {
      for (let i = 0; i < width; i++) {
        squares += v.data[(o * K + k) * width + i]! ** 2;
      }
    }
    const factor = g.data[k]! / Math.sqrt(squares);
    for (let o = 0; o < C; o++) {
      for (let i = 0; i < width; i++) {
        const at = (o * K + k) * width + i;
        w.data[at] = factor * v.data[at]!;
      }
    }
  }
  return w;
}
