import { type Nd, nd } from "./nd.ts";

/**
 * Layer norm over the last axis: y = (x − mean)/√(var + eps) · w + b, biased variance. With
 * gates `open` [C], mean and variance run over the channels with open > 0 only, and the output of
 * a closed channel is 0; the value of a gate has no other effect. x [.., C], w and b [C].
 */
export function layerNorm(
  x: Nd,
  w: Nd,
  b: Nd,
  { eps = 1e-5, open = null }: { eps?: number; open?: Nd | null } = {},
): Nd {
  const C = w.data.length;
  if (
    x.shape.at(-1) !== C || b.data.length !== C ||
    (open !== null && open.data.length !== C)
  ) {
    throw new TypeError(
      `Cannot norm as w, b and gates must be [C]: x is [${x.shape}], w is [${w.shape}], b is [${b.shape}]`,
    );
  }
  const kept: number[] = [];
  for (let c = 0; c < C; c++) {
    if (open === null || open.data[c]! > 0) kept.push(c);
  }
  const y = nd(x.shape);
  for (let row = 0; row < x.data.length; row += C) {
    let mean = 0;
    for (const c of kept) mean += x.data[row + c]! / kept.length;
    let variance = 0;
    for (const c of kept) {
      variance += (x.data[row + c]! - mean) ** 2 / kept.length;
    }
    for (const c of kept) {
      y.data[row + c] = (x.data[row + c]! - mean) / Math.sqrt(variance + eps) *
          w.data[c]! + b.data[c]!;
    }
  }
  return y;
}
