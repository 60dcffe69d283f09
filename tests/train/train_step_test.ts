import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { parameterSpecs } from "../../model/parameter_specs.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { isFiniteStep, lossGradient, type StepResult } from "../../train/finite_step.ts";
import type { MicroBatch } from "../../train/micro_batch.ts";
import { AdamW } from "../../train/optimizer.ts";
import { TrainStep } from "../../train/train_step.ts";
import { testGpu } from "../gpu.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "./tiny.ts";

/** A model in training on the device. */
async function training(checkpoint: Checkpoint, lr: number) {
  const gpu = await testGpu();
  const model = new SpeechModel(gpu, checkpoint);
  const optimizer = new AdamW([{ params: model.weights.require(), lr, betas: [0.9, 0.98] }]);
  const trainer = new TrainStep(model, optimizer);
  const read = () => Promise.all(model.weights.names.map((name) => model.weights.get(name).read()));
  const dispose = () => [trainer, optimizer, model].forEach((one) => one.dispose());
  return { gpu, model, optimizer, trainer, read, [Symbol.dispose]: dispose };
}

for (const name of ["wav2vec2 large", "wav2vec2 intents"] as const) {
  Deno.test(`${name} over-fits four utterances, each step using as many buffers as the one before`, async () => {
    const checkpoint = tinyCheckpoint(name);
    using run = await training(checkpoint, 1e-2);
    const batch = toneBatch(checkpoint, TEXTS);
    const losses: number[] = [];
    let pending: Promise<StepResult> | null = null;
    let live = 0;
    for (let step = 0; step < 60; step++) {
      const result: Promise<StepResult> = run.trainer.run([batch], { seed: 1, step, maxGradNorm: 5 });
      if (pending) losses.push((await pending).loss);
      pending = result;
      if (step === 1) live = run.gpu.pool.live;
      if (step > 1) assertEquals(run.gpu.pool.live, live, `live buffers in step ${step}`);
    }
    losses.push((await pending!).loss);
    assert(losses.at(-1)! < losses[0]! / 5, `the loss went from ${losses[0]} to ${losses.at(-1)}`);
  });
}

Deno.test("micro-batches add up to the whole batch, for every split of it", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 large");
  const results: { loss: number; gradNorm: number; weights: Float32Array[] }[] = [];
  for (const sizes of [[4], [1, 3], [2, 1, 1]]) {
    using run = await training(checkpoint, 1e-3);
    let from = 0;
    const batches: MicroBatch[] = sizes.map((size) => toneBatch(checkpoint, TEXTS.slice(from, from += size)));
    const { loss, gradNorm } = await run.trainer.run(batches, { seed: 1, step: 0 });
    results.push({ loss, gradNorm, weights: await run.read() as Float32Array[] });
  }
  const [whole, ...split] = results as [typeof results[0], ...typeof results];
  const close = (a: number, b: number, what: string) =>
    assert(Math.abs(a - b) <= 2e-5 * Math.abs(b), `${what}: ${a}, not ${b}`);
  for (const { loss, gradNorm, weights } of split) {
    close(loss, whole.loss, "loss");
    close(gradNorm, whole.gradNorm, "norm");
    // The first step of Adam is ±lr whatever the gradient's size, so that weights whose gradient is 0 but for
    // rounding may go either way: nearly all are to agree.
    const all = weights.flatMap((w, i) => [...w].map((x, j) => Math.abs(x - whole.weights[i]![j]!)));
    const apart = all.filter((difference) => difference > 1e-5).length;
    assert(apart <= all.length * 0.02, `${apart} of ${all.length} weights differ`);
  }
});

Deno.test("two runs with dropout and masks are equal to the bit, and another seed is another run", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 base", { dropout: true });
  const batches = [TEXTS.slice(0, 2), TEXTS.slice(2)].map((texts) =>
    toneBatch(checkpoint, texts, { attentionMask: false, masked: true })
  );
  const runs = [];
  for (const seed of [1, 1, 2]) {
    using run = await training(checkpoint, 1e-3);
    const results: StepResult[] = [];
    for (let step = 0; step < 3; step++) {
      results.push(await run.trainer.run(batches, { seed, step, maxGradNorm: 1, lrScale: 1 - step / 4 }));
    }
    runs.push({ results, weights: await run.read() });
  }
  assertEquals(runs[1], runs[0]);
  assert(runs[2]!.results[0]!.loss !== runs[0]!.results[0]!.loss);
});

for (const name of ["wav2vec2 compact", "wav2vec2 compact large"] as const) {
  Deno.test(`${name}: units that fill up an odd width on the device stay zeros in training`, async () => {
    const checkpoint = tinyCheckpoint(name);
    const gpu = await testGpu();
    using model = new SpeechModel(gpu, checkpoint);
    using optimizer = new AdamW([{ params: model.weights.require(), lr: 1e-2, weightDecay: 0.1 }]);
    using trainer = new TrainStep(model, optimizer);
    const batch = toneBatch(checkpoint, TEXTS);
    for (let step = 0; step < 3; step++) await trainer.run([batch], { seed: 1, step, maxGradNorm: 5 });
    const filled = [];
    for (const { name, shape } of parameterSpecs(checkpoint.config, checkpoint.head)) {
      const published = await model.weights.read(name);
      assertEquals(published.shape, [...shape], name);
      const all = await model.weights.get(name).read();
      if (all.length > published.data.length) filled.push(name);
      const numbers = (data: Iterable<number>) => [...data].filter((x) => x !== 0).toSorted();
      assertEquals(numbers(all), numbers(published.data), name);
    }
    assert(
      filled.some((name) => name.includes("conv_layers")) && filled.some((name) => name.includes("output")),
    );
  });
}

Deno.test("a step that is not finite changes nothing, and neither do those after it", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 large");
  using run = await training(checkpoint, 1e-2);
  const good = toneBatch(checkpoint, TEXTS);
  const bad = { ...good, inputValues: good.inputValues.map((x, i) => i === 700 ? NaN : x) };
  const step = (batch: MicroBatch, step: number) =>
    run.trainer.run([batch], { seed: 1, step, maxGradNorm: 1 });
  const first = await step(good, 0);
  assert(isFiniteStep(first));
  const before = await run.read();
  const results = await Promise.all([step(bad, 1), step(good, 2), step(good, 3)]);
  assertEquals(results.map(isFiniteStep), [false, false, false]);
  assertEquals(results.map(({ gradNorm }) => Number.isFinite(gradNorm)), [false, false, false]);
  assertEquals(Number.isFinite(results[0]!.loss), false);
  assertEquals(await run.read(), before);
});

Deno.test("a loss that is not finite makes all gradients NaN, as results of the step before do", async () => {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  const seed = async (loss: number, ...before: number[]) => {
    using seed = gpu.scope(() => lossGradient(0.1, gpu.tensor([loss], []), gpu.tensor(before)));
    return (await seed.read())[0];
  };
  assertEquals(await seed(3, 2, 1), Math.fround(0.1));
  assertEquals(await seed(-3, 2, 1), Math.fround(0.1));
  for (const bad of [NaN, Infinity, -Infinity]) {
    assertEquals(await Promise.all([seed(bad, 2, 1), seed(3, bad, 1), seed(3, 2, bad)]), [NaN, NaN, NaN]);
  }
  assertEquals(gpu.pool.live, live);
});

Deno.test("a step needs utterances and a head, and gives its memory back when it fails", async () => {
  const checkpoint = tinyCheckpoint("wav2vec2 large");
  const gpu = await testGpu();
  const before = gpu.pool.live;
  {
    using run = await training(checkpoint, 1e-2);
    const live = gpu.pool.live;
    const options = { seed: 1, step: 0 };
    assertThrows(() => run.trainer.accumulate([], options), RangeError, "a step must have utterances");
    const batch = { ...toneBatch(checkpoint, [[3]]), targets: [[99]] };
    assertThrows(() => run.trainer.accumulate([batch], options), RangeError, "targets[0][0]");
    assertEquals([gpu.pool.live, gpu.tape.steps.length], [live, 0]);
  }
  assertEquals(gpu.pool.live, before);
});
