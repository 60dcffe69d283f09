import { type Nd, nd } from "./nd.ts";

/** y = s · x. */
export function scale(x: Nd, s: number): Nd {
  return nd(x.shape, x.data.map((v) => s * v));
}
