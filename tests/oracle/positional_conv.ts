import { type Nd, nd } from "./nd.ts";

/**
 * Grouped convolution over the frames with floor(K/2) zeros on both sides; for even K the last
 * frame is dropped, so T frames come out. x [B, T, C], w [C, K, C/groups] already normed,
 * b [C] or null; y [B, T, C].
 */
export function positionalConv(x: Nd, w: Nd, b: Nd | null, { groups }: { groups: number }): Nd {
  const [B, T, C] = x.shape as [number, number, number];
  const [outputs, K, width] = w.shape as [number, number, number];
  if (
    x.shape.length !== 3 || w.shape.length !== 3 || outputs !== C ||
    width * groups !== C
  ) {
    throw new TypeError(
      `Cannot convolve as w must be [C, K, C/groups]: x is [${x.shape}], w is [${w.shape}], groups are ${groups}`,
    );
  }
  const padding = Math.floor(K / 2);
  const y = nd(x.shape);
  for (let n = 0; n < B; n++) {
    for (let t = 0; t < T; t++) {
      for (let o = 0; o < C; o++) {
        const first = Math.floor(o / width) * width;
        let total = b === null ? 0 : b.data[o]!;
        for (let k = 0; k < K; k++) {
          const from = t + k - padding;
          if (from < 0 || from >= T) continue;
          for (let i = 0; i < width; i++) {
            total += w.data[(o * K + k) * width + i]! *
              x.data[(n * T + from) * C + first + i]!;
          }
        }
        y.data[(n * T + t) * C + o] = total;
      }
    }
  }
  return y;
}
