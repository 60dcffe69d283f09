import { attention, type AttentionOptions } from "../../kernels/attention.ts";
import { uniformAt } from "../../kernels/philox.ts";
import { GEMM_VARIANTS } from "../../tensor/gemm_choice.ts";
import { testGpu } from "../gpu.ts";
import { attention as oracle } from "../oracle/attention.ts";
import { logSoftmax } from "../oracle/log_softmax.ts";
import { matmul as oracleMatmul } from "../oracle/matmul.ts";
import { type Nd, nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

/** Batch, frames, heads, numbers of a head. */
const sizes = [[1, 1, 1, 1], [2, 9, 3, 5], [2, 17, 2, 16], [1, 65, 4, 8]] as const;

for (const gemm of GEMM_VARIANTS) {
  Deno.test(`attention, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [batch, frames, heads, width] of sizes) {
      const shape = [batch, frames, heads * width];
      const [q, k, v] = [randomNd(shape, 1), randomNd(shape, 2), randomNd(shape, 3)];
      const gate = randomNd([heads], 4);
      const shared = randomNd([heads, frames, frames], 5);
      const own = randomNd([batch, heads, frames, frames], 6);
      const lengths = [frames, Math.ceil(frames / 2)].slice(0, batch);
      const name = `attention ${[batch, frames, heads, width]}`;
      const check = (what: string, options: Omit<AttentionOptions, "gate" | "bias">) =>
        checkOp({
          name: `${name}${what}`,
          inputs: [q!, k!, v!],
          op: ([q, k, v]) => attention(q!, k!, v!, options),
          oracle: ([q, k, v]) => oracle(q!, k!, v!, { ...options, gate: null, bias: null }),
          gpu,
        });
      await check("", { heads });
      await check(" lengths, scale", { heads, lengths, scale: 0.7 });
      if (batch > 1) await check(" empty clip", { heads, lengths: [frames, 0] });
      for (const bias of [shared, own]) {
        await checkOp({
          name: `${name} lengths, gate, bias [${bias.shape}]`,
          inputs: [q!, k!, v!, gate, bias],
          op: ([q, k, v, gate, bias]) => attention(q!, k!, v!, { heads, lengths, gate: gate!, bias: bias! }),
          oracle: ([q, k, v, gate, bias]) => oracle(q!, k!, v!, { heads, lengths, gate: gate!, bias: bias! }),
          gpu,
        });
      }
    }
  });
}

Deno.test("attention drops weights, and pulls back through those it kept", async () => {
  const frames = 8;
  const width = 8;
  const drops = { p: 0.4, seed: 5, step: 3, purpose: "weights" };
  const kept = (i: number) => uniformAt(i, drops) < Math.fround(drops.p) ? 0 : 1 / (1 - drops.p);
  // With one head this is softmax, mask and product, whose mask the host can draw.
  const composed = ([q, k, v]: Nd[]) => {
    const score = oracleMatmul(q!, k!, { transposeB: true });
    const p = logSoftmax(nd(score.shape, score.data.map((x) => x * width ** -0.5)));
    const dropped = nd(p.shape, p.data.map((x, i) => Math.exp(x) * kept(i)));
    return oracleMatmul(dropped, v!);
  };
  const shape = [2, frames, width];
  await checkOp({
    name: "attention with dropout",
    inputs: [randomNd(shape, 1), randomNd(shape, 2), randomNd(shape, 3)],
    op: ([q, k, v]) => attention(q!, k!, v!, { heads: 1, dropout: drops }),
    oracle: composed,
  });
});
