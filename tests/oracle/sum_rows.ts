import { type Nd, nd } from "./nd.ts";

/** Sum over the rows. x [R, C]; y [C]. */
export function sumRows(x: Nd): Nd {
  const C = x.shape.at(-1)!;
  const y = nd([C]);
  x.data.forEach((v, i) => y.data[i % C]! += v);
  return y;
}
