import { type Nd, nd } from "./nd.ts";

/** Sum of all elements, []. */
export function sum(x: Nd): Nd {
  return nd([], [x.data.reduce((total, v) => total + v, 0)]);
}
