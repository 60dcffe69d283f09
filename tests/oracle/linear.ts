import { gate as applyGate } from "./gate.ts";
import { gelu as applyGelu } from "./gelu.ts";
import { type Nd, nd } from "./nd.ts";

/**
 * y = x·Wᵀ + b, then optionally GELU, then optionally times one gate per output.
 * x [.., I], w [O, I], b [O] or null, gate [O] or null; y [.., O].
 */
export function linear(
  x: Nd,
  w: Nd,
  b: Nd | null = null,
  { gelu = false, gate = null }: { gelu?: boolean; gate?: Nd | null } = {},
): Nd {
  const [O, I] = w.shape as [number, number];
  if (w.shape.length !== 2 || x.shape.at(-1) !== I) {
    throw new TypeError(
      `Cannot apply a linear layer as inner sizes must be equal: x is [${x.shape}], w is [${w.shape}]`,
    );
  }
  let y = nd([...x.shape.slice(0, -1), O]);
  for (let n = 0; n < y.data.length; n++) {
    const row = Math.floor(n / O);
    const o = n % O;
    let total = b === null ? 0 : b.data[o]!;
    for (let i = 0; i < I; i++) {
      total += x.data[row * I + i]! * w.data[o * I + i]!;
    }
    y.data[n] = total;
  }
  if (gelu) y = applyGelu(y);
  return gate === null ? y : applyGate(y, gate);
}
