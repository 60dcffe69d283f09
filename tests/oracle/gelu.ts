import { erf } from "./erf.ts";
import { type Nd, nd } from "./nd.ts";

/** y = x/2 · (1 + erf(x/√2)), elementwise. */
export function gelu(x: Nd): Nd {
  return nd(x.shape, x.data.map((v) => v / 2 * (1 + erf(v / Math.SQRT2))));
}
