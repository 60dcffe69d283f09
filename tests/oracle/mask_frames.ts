import { type Nd, nd } from "./nd.ts";

/** x with frames t >= lengths[b] set to 0. x [B, T, C]. */
export function maskFrames(x: Nd, lengths: readonly number[]): Nd {
  const [B, T, C] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || lengths.length !== B) {
    throw new TypeError(
      `Cannot mask as there must be one length per item: x is [${x.shape}], lengths are ${lengths.length}`,
    );
  }
  const y = nd(x.shape);
  for (let n = 0; n < B; n++) {
    for (let t = 0; t < Math.min(T, lengths[n]!); t++) {
      for (let c = 0; c < C; c++) {
        y.data[(n * T + t) * C + c] = x.data[(n * T + t) * C + c]!;
      }
    }
  }
  return y;
}
