import { type Nd, nd } from "./nd.ts";

/**
 * Valid 1-D convolution (cross-correlation, as in PyTorch). x [B, T, Cin], w [Cout, K, Cin],
 * b [Cout] or null; y [B, floor((T − K)/stride) + 1, Cout], no frames when T < K.
 */
export function conv1d(x: Nd, w: Nd, b: Nd | null = null, { stride = 1 }: { stride?: number } = {}): Nd {
  const [B, T, Cin] = x.shape as [number, number, number];
  const [Cout, K, inner] = w.shape as [number, number, number];
  if (x.shape.length !== 3 || w.shape.length !== 3 || Cin !== inner) {
    throw new TypeError(
      `Cannot convolve as input channels must be equal: x is [${x.shape}], w is [${w.shape}]`,
    );
  }
  const frames = Math.max(0, Math.floor((T - K) / stride) + 1);
  const y = nd([B, frames, Cout]);
  for (let n = 0; n < B; n++) {
    for (let t = 0; t < frames; t++) {
      for (let o = 0; o < Cout; o++) {
        let total = b === null ? 0 : b.data[o]!;
        for (let k = 0; k < K; k++) {
          for (let i = 0; i < Cin; i++) {
            total += w.data[(o * K + k) * Cin + i]! *
              x.data[(n * T + t * stride + k) * Cin + i]!;
          }
        }
        y.data[(n * frames + t) * Cout + o] = total;
      }
    }
  }
  return y;
}
