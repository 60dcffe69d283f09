import { type Nd, nd } from "./nd.ts";

/** y = max(x, 0), elementwise. */
export function relu(x: Nd): Nd {
  return nd(x.shape, x.data.map((v) => Math.max(v, 0)));
}
