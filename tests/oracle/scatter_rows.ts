import { type Nd, nd } from "./nd.ts";

/** y[index[n]] += x[n], starting from R rows of zeros. x [n, C]; y [R, C]. */
export function scatterRows(x: Nd, index: readonly number[], R: number): Nd {
  const [rows, C] = x.shape as [number, number];
  if (index.length !== rows) {
    throw new TypeError(
      `Cannot scatter as there must be one index per row: x is [${x.shape}], indices are ${index.length}`,
    );
  }
  const y = nd([R, C]);
  index.forEach((row, n) => {
    if (!(row >= 0 && row < R)) {
      throw new RangeError(`Cannot scatter rows as each must be below ${R}: index[${n}] is ${row}`);
    }
    for (let c = 0; c < C; c++) y.data[row * C + c]! += x.data[n * C + c]!;
  });
  return y;
}
