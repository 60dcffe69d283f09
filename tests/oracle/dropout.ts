import { type Nd, nd, sameShape } from "./nd.ts";

/** y = x · keep / (1 − p), with `keep` of 0 and 1 in x's shape; all zeros when p is 1. */
export function dropout(x: Nd, { p, keep }: { p: number; keep: Nd }): Nd {
  if (!sameShape(x.shape, keep.shape)) {
    throw new TypeError(`Cannot drop as shapes must be equal: x is [${x.shape}], keep is [${keep.shape}]`);
  }
  return nd(x.shape, x.data.map((v, i) => p < 1 && keep.data[i]! !== 0 ? v / (1 - p) : 0));
}
