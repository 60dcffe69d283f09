import { assert, assertEquals, assertThrows } from "@std/assert";
import { attention, type AttentionOptions } from "../../kernels/attention.ts";
import { uniformAt } from "../../random/philox.ts";
import { sum } from "../../kernels/sum.ts";
import { fakeGpu } from "../../tensor/fake_gpu.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { roundUp } from "../../tensor/align.ts";
import { backward } from "../../tensor/backward.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { attention as oracle } from "../oracle/attention.ts";
import { logSoftmax } from "../oracle/log_softmax.ts";
import { matmul as oracleMatmul } from "../oracle/matmul.ts";
import { type Nd, nd, randomNd, resizeRows } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

/** B, T, H, D. */
const sizes = [[1, 1, 1, 1], [2, 9, 3, 5], [2, 17, 2, 16], [1, 65, 4, 8]] as const;

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`attention, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [batch, frames, heads, width] of sizes) {
      const shape = [batch, frames, heads * width];
      const [q, k, v] = [randomNd(shape, 1), randomNd(shape, 2), randomNd(shape, 3)];
      const gate = randomNd([heads], 4);
      const shared = randomNd([heads, frames, roundUp(frames, 4)], 5);
      const own = randomNd([batch, heads, frames, roundUp(frames, 4)], 6);
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
      if (batch > 1) await check(" empty utterance", { heads, lengths: [frames, 0] });
      for (const bias of [shared, own]) {
        await checkOp({
          name: `${name} lengths, gate, bias [${bias.shape}]`,
          inputs: [q!, k!, v!, gate, bias],
          op: ([q, k, v, gate, bias]) => attention(q!, k!, v!, { heads, lengths, gate: gate!, bias: bias! }),
          oracle: ([q, k, v, gate, bias]) =>
            oracle(q!, k!, v!, { heads, lengths, gate: gate!, bias: resizeRows(bias!, frames) }),
          gpu,
        });
      }
    }
  });
}

Deno.test("attention with a bias has the same bits whether gradients are recorded or not", async () => {
  const gpu = await testGpu();
  const [batch, frames, heads] = [2, 17, 3];
  const random = (shape: number[], seed: number) => {
    const { data } = randomNd(shape, seed);
    return gpu.tensor(Float32Array.from(data), shape);
  };
  const [q, k, v] = [1, 2, 3].map((seed) => random([batch, frames, heads * 8], seed));
  for (const shape of [[heads, frames, 20], [batch, heads, frames, 20]]) {
    const bias = random(shape, 4);
    const run = () => attention(q!, k!, v!, { heads, bias, lengths: [frames, 9] }).read();
    const plain = await run();
    bias.requiresGrad = true;
    assertEquals(await gpu.scope(() => ({ read: run() })).read, plain);
  }
});

Deno.test("attention refuses a bias whose rows are not padded", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([1, 5, 4]);
    assertThrows(
      () => attention(x, x, x, { heads: 2, bias: gpu.zeros([2, 5, 5]) }),
      TypeError,
      "Cannot attend as bias must be [2, 5, 8]: found [2, 5, 5]",
    );
  });
});

Deno.test("attention by blocks of queries", async () => {
  const gpu = await narrowGpu(); // 65,536 bytes hold 48 queries of these
  const [batch, frames, heads, width] = [2, 70, 2, 4];
  const shape = [batch, frames, heads * width];
  const inputs = [randomNd(shape, 1), randomNd(shape, 2), randomNd(shape, 3), randomNd([heads], 4)];
  const lengths = [frames, 50];
  await checkOp({
    name: "attention by blocks",
    inputs,
    op: ([q, k, v, gate]) => attention(q!, k!, v!, { heads, lengths, gate: gate! }),
    oracle: ([q, k, v, gate]) => oracle(q!, k!, v!, { heads, lengths, gate: gate! }),
    gpu,
  });
});

Deno.test("the memory of attention is linear in its frames", async () => {
  const gpu = await testGpu();
  const peak = (frames: number) => {
    const dry = fakeGpu(gpu);
    const [q, k, v] = [1, 2, 3].map(() => dry.gpu.zeros([1, frames, 768]));
    for (const x of [q!, k!, v!]) x.requiresGrad = true;
    backward(sum(attention(q!, k!, v!, { heads: 12 })));
    return dry.memory.peakBytes;
  };
  const [some, twice] = [peak(4000), peak(8000)];
  assert(twice < 2.1 * some, `${some} bytes for 4,000 frames, ${twice} for 8,000`);
});

Deno.test("attention drops weights, and its gradient goes through those that are kept", async () => {
  for (
    const [gpu, shape, queries] of [[await testGpu(), [2, 8, 8], 8], [
      await narrowGpu(),
      [1, 140, 4],
      112,
    ]] as const
  ) {
    const [, frames, width] = shape;
    const drops = { p: 0.4, seed: 5, step: 3, purpose: "weights" };
    // With one head this is a softmax, a mask and a matmul. The host draws the mask, again for each block of queries.
    const kept = (i: number) => {
      const first = shape[0] > 1 ? 0 : Math.floor(i / frames / queries) * queries;
      const purpose = first === 0 ? "weights" : `weights, queries from ${first}`;
      const u = uniformAt(i - first * frames, { ...drops, purpose });
      return u < Math.fround(drops.p) ? 0 : 1 / (1 - drops.p);
    };
    const composed = ([q, k, v]: Nd[]) => {
      const score = oracleMatmul(q!, k!, { transposeB: true });
      const p = logSoftmax(nd(score.shape, score.data.map((x) => x * width ** -0.5)));
      const dropped = nd(p.shape, p.data.map((x, i) => Math.exp(x) * kept(i)));
      return oracleMatmul(dropped, v!);
    };
    await checkOp({
      name: `attention with dropout [${shape}]`,
      inputs: [randomNd([...shape], 1), randomNd([...shape], 2), randomNd([...shape], 3)],
      op: ([q, k, v]) => attention(q!, k!, v!, { heads: 1, dropout: drops }),
      oracle: composed,
      gpu,
    });
  }
});
