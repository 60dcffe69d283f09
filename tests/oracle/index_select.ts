import { type Nd, nd } from "./nd.ts";

/** y[…, j, …] = x[…, index[j], …] along the axis. */
export function indexSelect(x: Nd, axis: number, index: readonly number[]): Nd {
  const shape = x.shape.map((n, i) => i === axis ? index.length : n);
  const y = nd(shape);
  const stride = x.shape.slice(axis + 1).reduce((size, n) => size * n, 1);
  for (let at = 0; at < y.data.length; at++) {
    const inside = at % stride;
    const entry = Math.floor(at / stride) % index.length;
    const outside = Math.floor(at / stride / index.length);
    y.data[at] = x.data[(outside * x.shape[axis]! + index[entry]!) * stride + inside]!;
  }
  return y;
}
