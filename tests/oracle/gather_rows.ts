import { type Nd, nd } from "./nd.ts";

/** y[n] = x[index[n]]. x [R, C]; y [index.length, C]. */
export function gatherRows(x: Nd, index: readonly number[]): Nd {
  const [R, C] = x.shape as [number, number];
  const y = nd([index.length, C]);
  index.forEach((row, n) => {
    if (!(row >= 0 && row < R)) {
      throw new RangeError(`Cannot gather rows as each must be below ${R}: index[${n}] is ${row}`);
    }
    for (let c = 0; c < C; c++) y.data[n * C + c] = x.data[row * C + c]!;
  });
  return y;
}
