import { type Nd, nd } from "./nd.ts";

/** y = x − log Σ exp(x) over the last axis. */
export function logSoftmax(x: Nd): Nd {
  const V = x.shape.at(-1)!;
  const y = nd(x.shape);
  for (let row = 0; row < x.data.length; row += V) {
    let largest = -Infinity;
    for (let v = 0; v < V; v++) largest = Math.max(largest, x.data[row + v]!);
    let total = 0;
    for (let v = 0; v < V; v++) total += Math.exp(x.data[row + v]! - largest);
    for (let v = 0; v < V; v++) {
      y.data[row + v] = x.data[row + v]! - largest - Math.log(total);
    }
  }
  return y;
}
