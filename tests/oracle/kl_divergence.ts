import { logSoftmax } from "./log_softmax.ts";
import { type Nd, nd } from "./nd.ts";

/** w·Σ exp(t)·(t − log softmax(x)) over the last dimension; t are log-probabilities. x, t [..., V], w [...]. */
export function klDivergence(x: Nd, target: Nd, weights: Nd): Nd {
  const V = x.shape.at(-1)!;
  const log = logSoftmax(x);
  const rows = x.data.length / V;
  const sums = Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * V; i < (row + 1) * V; i++) {
      sum += Math.exp(target.data[i]!) * (target.data[i]! - log.data[i]!);
    }
    return weights.data[row]! * sum;
  });
  return nd(x.shape.slice(0, -1), sums);
}
