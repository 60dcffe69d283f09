import { type Nd, nd } from "./nd.ts";

/**
 * y[b, i, t, s] = g[b, t, h] · r[s − t + T − 1, h] for h = heads[i], all of them unless given.
 * g [B, T, H], r [2T − 1, H]; y [B, heads, T, T].
 */
export function relativeBias(g: Nd, r: Nd, heads?: readonly number[]): Nd {
  const [B, T, H] = g.shape as [number, number, number];
  if (r.shape[0] !== 2 * T - 1 || r.shape[1] !== H) {
    throw new TypeError(
      `Cannot make a position bias as r must be [2T − 1, H]: g is [${g.shape}], r is [${r.shape}]`,
    );
  }
  const chosen = heads ?? Array.from({ length: H }, (_, h) => h);
  const y = nd([B, chosen.length, T, T]);
  let at = 0;
  for (let b = 0; b < B; b++) {
    for (const h of chosen) {
      for (let t = 0; t < T; t++) {
        const gate = g.data[(b * T + t) * H + h]!;
        for (let s = 0; s < T; s++) y.data[at++] = gate * r.data[(s - t + T - 1) * H + h]!;
      }
    }
  }
  return y;
}
