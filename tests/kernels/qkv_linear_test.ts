import { add } from "../../kernels/add.ts";
import { attention } from "../../kernels/attention.ts";
import { qkvLinear } from "../../kernels/qkv_linear.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { add as oracleAdd } from "../oracle/add.ts";
import { attention as oracleAttention } from "../oracle/attention.ts";
import { linear as oracle } from "../oracle/linear.ts";
import { type Nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

/** Outputs of three layers, from x, three weights and three biases. */
const layers = (inputs: readonly Tensor[]) => {
  const [x, ...rest] = inputs as [Tensor, ...Tensor[]];
  return qkvLinear(x, [0, 1, 2].map((i) => ({ w: rest[i]!, b: rest[i + 3]! })));
};
const oracles = (inputs: readonly Nd[]) => {
  const [x, ...rest] = inputs as [Nd, ...Nd[]];
  return [0, 1, 2].map((i) => oracle(x, rest[i]!, rest[i + 3]!));
};

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`qkvLinear, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [batch, frames, inputs, outputs] of [[2, 5, 8, 16], [1, 3, 5, 7], [2, 33, 32, 64]] as const) {
      const all = [
        randomNd([batch, frames, inputs], 1),
        ...[2, 3, 4].map((seed) => randomNd([outputs, inputs], seed)),
        ...[5, 6, 7].map((seed) => randomNd([outputs], seed)),
      ];
      for (const sideBySide of [[[1, 2, 3], [4, 5, 6]], []]) {
        const name = `qkvLinear ${[batch, frames, inputs, outputs]} ${sideBySide.length > 0}`;
        // Attention writes the gradients of its inputs side by side; that of the keys' bias is rounding error only.
        await checkOp({
          name: `${name} to attention`,
          inputs: all,
          sideBySide,
          wrt: [0, 1, 2, 3, 5, 6],
          op: (all) => {
            const [k, v, q] = layers(all);
            return attention(q!, k!, v!, { heads: 1 });
          },
          oracle: (all) => {
            const [k, v, q] = oracles(all);
            return oracleAttention(q!, k!, v!, { heads: 1, gate: null, bias: null });
          },
          gpu,
        });
        // Gradients in other buffers, and an output without a gradient.
        await checkOp({
          name: `${name} to a sum`,
          inputs: all,
          sideBySide,
          wrt: [0, 1, 3, 4, 6],
          op: (all) => {
            const [k, , q] = layers(all);
            return add(k!, q!);
          },
          oracle: (all) => {
            const [k, , q] = oracles(all);
            return oracleAdd(k!, q!);
          },
          gpu,
        });
      }
    }
  });
}
