import { add } from "../kernels/add.ts";
import { attention } from "../kernels/attention.ts";
import { gate } from "../kernels/gate.ts";
import { indexSelect } from "../kernels/index_select.ts";
import { matmul } from "../kernels/matmul.ts";
import { reshape } from "../kernels/reshape.ts";
import { roundUp } from "../tensor/align.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Sum of hidden states, each times its weight: Σ softmax(w)ₙ·xₙ, as in the SUPERB benchmark (arXiv 2105.01051).
 *
 * @param states The N hidden states, [B, d] each.
 * @param w Weights before the softmax, [N].
 * @returns [B, d]
 */
export function weightedLayerSum(states: readonly Tensor[], w: Tensor): Tensor {
  const { gpu } = w;
  const count = states.length;
  const d = states[0]!.shape[1]!;
  // Attention with queries of 0 and scores w; values that are the identity give the softmax itself, in every row.
  const zeros = gpu.zeros([1, count, count]);
  const identity = (columns: number) => {
    const values = new Float32Array(count * columns);
    for (let n = 0; n < count; n++) values[n * columns + n] = 1;
    return gpu.tensor(values, [count, columns]);
  };
  const padded = roundUp(count, 4);
  const scores = matmul(reshape(w, [1, count]), identity(padded));
  const bias = add(gpu.zeros([1, count, padded]), reshape(scores, [padded]));
  const rows = attention(zeros, zeros, reshape(identity(count), [1, count, count]), { heads: 1, bias });
  const shares = indexSelect(reshape(rows, [count, count]), 0, [0]);
  return states.map((x, n) => {
    const selected = new Float32Array(count * d).fill(1, n * d, (n + 1) * d);
    const share = matmul(shares, gpu.tensor(selected, [count, d])); // [1, d], all equal
    return gate(x, reshape(share, [d]));
  }).reduce((sum, x) => add(sum, x));
}
