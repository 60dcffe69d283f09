import { type Nd, nd } from "./nd.ts";

/**
 * Group norm with one group per channel: mean and biased variance over the frames of an item, all T or
 * its length, beyond which y is 0. x [B, T, C], w and b [C].
 */
export function groupNorm(
  x: Nd,
  w: Nd,
  b: Nd,
  { eps = 1e-5, lengths }: { eps?: number; lengths?: readonly number[] } = {},
): Nd {
  const [B, T, C] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || w.data.length !== C || b.data.length !== C) {
    throw new TypeError(
      `Cannot norm as w and b must be [C]: x is [${x.shape}], w is [${w.shape}], b is [${b.shape}]`,
    );
  }
  const y = nd(x.shape);
  for (let n = 0; n < B; n++) {
    const length = lengths?.[n] ?? T;
    for (let c = 0; c < C; c++) {
      const at = (t: number) => (n * T + t) * C + c;
      let mean = 0;
      for (let t = 0; t < length; t++) mean += x.data[at(t)]! / length;
      let variance = 0;
      for (let t = 0; t < length; t++) variance += (x.data[at(t)]! - mean) ** 2 / length;
      for (let t = 0; t < length; t++) {
        y.data[at(t)] = (x.data[at(t)]! - mean) / Math.sqrt(variance + eps) *
            w.data[c]! + b.data[c]!;
      }
    }
  }
  return y;
}
