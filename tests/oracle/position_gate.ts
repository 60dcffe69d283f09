import { type Nd, nd } from "./nd.ts";

/** g = a·(b·c[h] − 1) + 2 with a, b = σ of the two sums of four. u [B, T, H, 8], c [H]; g [B, T, H]. */
export function positionGate(u: Nd, c: Nd): Nd {
  const [B, T, H, width] = u.shape as [number, number, number, number];
  if (width !== 8 || c.data.length !== H) {
    throw new TypeError(
      `Cannot gate a position bias as u must be [B, T, H, 8] and c [H]: u is [${u.shape}], c is [${c.shape}]`,
    );
  }
  const sigmoid = (from: number) =>
    1 / (1 + Math.exp(-[0, 1, 2, 3].reduce((total, i) => total + u.data[from + i]!, 0)));
  const g = nd([B, T, H]);
  for (let n = 0; n < g.data.length; n++) {
    const a = sigmoid(8 * n);
    const b = sigmoid(8 * n + 4);
    g.data[n] = a * (b * c.data[n % H]! - 1) + 2;
  }
  return g;
}
