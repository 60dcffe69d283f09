import { attention, type AttentionOptions } from "../../kernels/attention.ts";
import { testGpu } from "../gpu.ts";
import { attention as oracle } from "../oracle/attention.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

/** Batch, frames, heads, numbers of a head. */
const sizes = [[1, 1, 1, 1], [2, 9, 3, 5], [2, 17, 2, 16], [1, 65, 4, 8]] as const;

for (const gemm of ["texture", "tile"] as const) {
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
