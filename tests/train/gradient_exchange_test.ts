import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Communicator } from "../../comm/communicator.ts";
import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import type { StepResult } from "../../train/finite_step.ts";
import { GradientExchange } from "../../train/gradient_exchange.ts";
import type { MicroBatch } from "../../train/micro_batch.ts";
import { AdamW } from "../../train/optimizer.ts";
import { TrainStep } from "../../train/train_step.ts";
import { localCommunicators } from "../comm/local.ts";
import { testGpu } from "../gpu.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "./tiny.ts";

const STEPS = 4;

/** Trains on all micro-batches, or on those of one process. */
async function trained(checkpoint: Checkpoint, batches: readonly MicroBatch[], comm: Communicator | null) {
  const gpu = await testGpu();
  using model = new SpeechModel(gpu, checkpoint);
  using optimizer = new AdamW([{ params: model.weights.require(), lr: 1e-3 }]);
  using trainStep = new TrainStep(model, optimizer, { comm });
  const results: Promise<StepResult>[] = [];
  for (let step = 0; step < STEPS; step++) {
    results.push(trainStep.run(batches, { seed: 1, step, maxGradNorm: 1 }));
  }
  const done = await Promise.all(results);
  const weights = await Promise.all(model.weights.names.map((name) => model.weights.get(name).read()));
  return { results: done, weights: weights as Float32Array[] };
}

function largest(values: readonly Float32Array[]): number {
  return Math.max(...values.map((x) => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0)));
}

for (const size of [2, 4]) {
  Deno.test(`${size} processes take the steps of one that accumulates as many micro-batches`, async () => {
    const checkpoint = tinyCheckpoint("wav2vec2 large", { dropout: true });
    const batches = TEXTS.map((text) => toneBatch(checkpoint, [text], { masked: true }));
    const alone = await trained(checkpoint, batches, null);
    const all = await Promise.all(localCommunicators(size).map((comm) => trained(checkpoint, batches, comm)));
    for (const { results, weights } of all) {
      assertEquals([results, weights], [all[0]!.results, all[0]!.weights]); // the same bits on all
      results.forEach(({ loss, gradNorm }, step) => {
        const expected = alone.results[step]!;
        assert(Math.abs(loss - expected.loss) <= 1e-6 * expected.loss, `loss ${loss}, not ${expected.loss}`);
        assert(Math.abs(gradNorm - expected.gradNorm) <= 1e-5 * expected.gradNorm, `norm ${gradNorm}`);
      });
      const apart = largest(weights.map((w, i) => w.map((x, j) => x - alone.weights[i]![j]!)));
      assert(apart <= 1e-5 * largest(alone.weights), `weights differ by ${apart}`);
    }
  });
}

Deno.test("a loss that is not finite on one process changes nothing on any", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 large");
  const batches = TEXTS.slice(0, 2).map((text) => toneBatch(checkpoint, [text]));
  batches[1]!.inputValues[100] = Infinity;
  const all = await Promise.all(localCommunicators(2).map((comm) => trained(checkpoint, batches, comm)));
  for (const { results, weights } of all) {
    assert(results.every(({ loss, gradNorm }) => !Number.isFinite(loss) && !Number.isFinite(gradNorm)));
    using model = new SpeechModel(await testGpu(), checkpoint);
    const before = await Promise.all(model.weights.names.map((name) => model.weights.get(name).read()));
    assertEquals(weights, before as Float32Array[]);
  }
});

Deno.test("a process without a micro-batch is refused", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 large");
  const [, second] = localCommunicators(2);
  await assertRejects(
    () => trained(checkpoint, [toneBatch(checkpoint, TEXTS)], second!),
    RangeError,
    "Cannot train as rank 1 must have a micro-batch: the step has 1",
  );
});

Deno.test("gradients are sent in buckets, in the same order whatever is complete first", async () => {
  const gpu = await testGpu();
  const sizes = [3, 300, 20, 700, 5];
  const all = await Promise.all(
    localCommunicators(2).map(async (comm) => {
      const params = sizes.map((size) => gpu.keep(gpu.tensor(new Float32Array(size))));
      using optimizer = new AdamW([{ params, lr: 1 }]);
      const messages: number[] = [];
      const counted: Communicator = {
        ...comm,
        allReduce: (values, reduction) => {
          messages.push(values.length);
          return comm.allReduce(values, reduction);
        },
      };
      const exchange = new GradientExchange(counted, optimizer, 2048);
      exchange.begin();
      const order = comm.rank === 0 ? [4, 3, 2, 1, 0] : [1, 0, 4, 2, 3];
      for (const i of order.filter((i) => i !== 2 || comm.rank === 0)) { // rank 1 has no gradient of parameter 2
        using part = gpu.keep(gpu.tensor(new Float32Array(sizes[i]!).fill(10 ** comm.rank * (i + 1))));
        optimizer.take(params[i]!, part);
        exchange.done(params[i]!);
      }
      await exchange.finish();
      const buckets = optimizer.gradientBuckets(2048);
      const gradients = await Promise.all(buckets.map((bucket) => bucket.complete().read()));
      for (const param of params) param.dispose();
      return { messages, gradients: gradients.map((x) => [...x as Float32Array].filter((y) => y !== 0)) };
    }),
  );
  assertEquals(all[0], all[1]);
  assert(all[0]!.messages.length > 1);
  const sums = all[0]!.gradients.flat();
  const expected = sizes.map((size, i) => [size, i === 2 ? 3 : 11 * (i + 1)]);
  for (const [size, sum] of expected) assertEquals(sums.filter((x) => x === sum).length, size);
});
