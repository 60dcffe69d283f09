// The model on the device against the float64 oracle of the whole model, which was written from the published description:
// every family and head, and a compact model of each.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { batchInvariant } from "../../kernels/gemm/policy.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { type HeadKind, parseConfig } from "../../model/config.ts";
import { withoutPrefix } from "../../model/families.ts";
import { Weights } from "../../model/weights.ts";
import { framesOf, SpeechModel } from "../../model/speech_model.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { forwardModel } from "../oracle/model.ts";
import { randomDirection, slopeAlong } from "../oracle/model/directions.ts";
import { randomWeights } from "../oracle/model/random_weights.ts";
import { TINY_LENGTHS, TINY_MODELS, tinySamples } from "../oracle/model/tiny.ts";
import { dot, type Nd, nd, permute, randomNd } from "../oracle/nd.ts";

const bound = { rtol: 2e-5, atol: 1e-6 };
const samples = tinySamples(1);
const lengths = [...TINY_LENGTHS];

async function loadTiny(name: keyof typeof TINY_MODELS, half = false) {
  const gpu = await testGpu();
  const tiny = TINY_MODELS[name];
  const weights = randomWeights(tiny.config, tiny.head, 7);
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );
  const head: HeadKind = tiny.head === "ctc" ? "ctc" : tiny.head === null ? "none" : "classify";
  const config = parseConfig(JSON.stringify(tiny.config));
  return { gpu, tiny, weights, model: new SpeechModel(gpu, { config, head, tensors }, half) };
}

for (const name of Object.keys(TINY_MODELS) as (keyof typeof TINY_MODELS)[]) {
  // Long because one forward and backward pass is compared in every respect.
  Deno.test(`${name} agrees with the float64 model`, async () => {
    const { gpu, tiny, weights, model } = await loadTiny(name);
    const live = gpu.pool.live;
    const x = upload(gpu, samples);

    // Inference: logits or the last hidden state, with and without an attention mask.
    for (const mask of [lengths, null]) {
      const expected = forwardModel(tiny.config, weights, samples, { lengths: mask });
      const output = gpu.scope(() => {
        const { logits, hidden } = model.forward({ samples: x, lengths: mask });
        return logits ?? hidden;
      });
      const reference = expected.logits ?? expected.acts.get("act.encoder_out")!;
      assertEquals(output.shape, reference.shape);
      assertClose(mask ? "masked" : "unmasked", await output.read(), reference.data, bound);
      output.dispose();
    }

    // Training: activations, and gradients of a random weighted sum of the outputs.
    const value = (moved: ReadonlyMap<string, Nd>) => {
      const { logits, acts } = forwardModel(tiny.config, moved, samples, { lengths });
      return logits ?? acts.get("act.encoder_out")!;
    };
    const expected = forwardModel(tiny.config, weights, samples, { lengths });
    const reference = expected.logits ?? expected.acts.get("act.encoder_out")!;
    const cotangent = randomNd(reference.shape, 3);
    model.weights.require();
    const seen = new Map<string, Tensor>();
    const grads = gpu.scope(() => {
      const observe = (name: string, x: Tensor) => void seen.set(name, x);
      const { logits, hidden } = model.forward({ samples: x, lengths }, { observe });
      return backward(logits ?? hidden, { gradient: upload(gpu, cotangent) });
    });
    const names = [...seen.keys()].filter((name) => expected.acts.has(`act.${name}`));
    assert(names.length >= 2 * tiny.config.num_hidden_layers, `only ${names} were observed`);
    for (const name of names) {
      const act = expected.acts.get(`act.${name}`)!;
      const last = name.startsWith("conv.") ? permute(act, [0, 2, 1]) : act;
      assertClose(name, await seen.get(name)!.read(), last.data, bound);
    }

    const gradient = new Map<string, Nd>();
    for (const published of weights.keys()) {
      const name = withoutPrefix(published);
      const grad = grads.get(model.weights.get(name));
      const { shape } = weights.get(published)!;
      gradient.set(published, nd(shape, grad ? (await model.weights.read(name, grad)).data : undefined));
    }
    const all = [...gradient.values()];
    const norm = Math.sqrt(all.reduce((sum, grad) => sum + dot(grad, grad), 0));
    const size = all.reduce((sum, grad) => sum + grad.data.length, 0);
    const isTrained = (name: string) => !/running_(mean|var)$/.test(name);
    const compare = (what: string, pick: (name: string) => boolean = isTrained) => {
      const direction = randomDirection(weights, what.length, pick);
      const found = [...direction].reduce((sum, [name, d]) => sum + dot(gradient.get(name)!, d), 0);
      const picked = [...direction.keys()].reduce((sum, name) => sum + gradient.get(name)!.data.length, 0);
      const expected = slopeAlong((moved) => dot(value(moved), cotangent), weights, direction);
      // A random direction meets a gradient of norm |g| in n dimensions at about |g|/√n.
      const allowed = 2e-5 * norm / Math.sqrt(Math.min(picked, size));
      assert(Math.abs(found - expected) <= allowed, `${what}: ${found}, not ${expected} ± ${allowed}`);
    };
    compare("all weights");
    compare("all weights, another way");
    const kinds = new Set([...weights.keys()].filter(isTrained).map((name) => name.replace(/\.\d+\./, ".")));
    for (const kind of kinds) compare(kind, (name) => name.replace(/\.\d+\./, ".") === kind);

    for (const tensor of [...seen.values(), ...grads.values()]) tensor.dispose();
    assertEquals(gpu.pool.live, live + 1, "live buffers");
    x.dispose();
    model.dispose();
  });
}

for (const name of Object.keys(TINY_MODELS) as (keyof typeof TINY_MODELS)[]) {
  Deno.test(`${name} in f16 is near the float64 model`, async () => {
    if (!(await testGpu()).half) {
      await assertRejects(() => loadTiny(name, true), TypeError, "the adapter has no shader-f16");
      return;
    }
    const { gpu, tiny, weights, model } = await loadTiny(name, true);
    const expected = forwardModel(tiny.config, weights, samples, { lengths });
    const reference = expected.logits ?? expected.acts.get("act.encoder_out")!;
    const plain = await loadTiny(name);
    const x = upload(gpu, samples);
    const [found, exact] = await Promise.all([model, plain.model].map(async (model) => {
      const { logits, hidden } = gpu.scope(() => {
        const { logits, hidden } = model.forward({ samples: x, lengths });
        return { logits, hidden };
      });
      return await (logits ?? hidden).read();
    }));
    // Significands of 11 bits, rounded some twenty times in a row.
    assertClose("f16", found!, reference.data, { rtol: 2 ** -7, atol: 0 });
    assert(found!.some((value, i) => value !== exact![i]), "nothing was rounded");
    const bytes = (of: SpeechModel) =>
      of.weights.names.reduce((sum, name) => sum + of.weights.get(name).bytes, 0);
    assert(bytes(model) < 0.75 * bytes(plain.model), `${bytes(model)} bytes, not ${bytes(plain.model)}`);
    assertThrows(
      () => model.weights.require(),
      TypeError,
      "Cannot train the model as its weights must be f32",
    );
    for (const each of [x, model, plain.model]) each.dispose();
  });
}

Deno.test("a weight beyond f16 is refused by name", async () => {
  const gpu = await testGpu();
  const weights = new Weights(gpu, true);
  weights.add("lm_head.bias", [2], Float32Array.of(1e6, 1)); // no GEMM reads it
  const add = () => weights.add("lm_head.weight", [1, 2], Float32Array.of(1, 1e6));
  assertThrows(
    add,
    RangeError,
    "Cannot store lm_head.weight as f16 as its values must be below 65,520: found 1000000",
  );
  weights.dispose();
});

for (const name of Object.keys(TINY_MODELS) as (keyof typeof TINY_MODELS)[]) {
  Deno.test(`${name} gives an utterance the same bits in a batch as by itself`, async () => {
    const { model } = await loadTiny(name);
    await assertPaddingInvariant(model, samples, lengths);
    model.dispose();
  });
}

for (const gemm of ["texture", "tile-32"] as const) {
  Deno.test(`the embedded model gives an utterance the same bits in a batch as by itself, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    const model = new SpeechModel(gpu, await readCheckpoint("assets/commands-tiny"));
    const lengths = [16_000, 4_000, 9_000];
    const samples = randomNd([3, 16_000], 2);
    lengths.forEach((length, i) => samples.data.fill(0, i * 16_000 + length, (i + 1) * 16_000));
    await assertPaddingInvariant(model, samples, lengths);
    model.dispose();
  });
}

/** Asserts that each utterance of a batch has the same output as by itself. */
async function assertPaddingInvariant(
  model: SpeechModel,
  samples: Nd,
  lengths: readonly number[],
): Promise<void> {
  const { gpu } = model;
  const run = async (x: Nd, lengths: readonly number[]) => {
    const y = gpu.scope(() => {
      const batch = { samples: upload(gpu, x), lengths };
      const { logits, hidden } = batchInvariant(
        gpu,
        () => model.forward(batch, { paddingInvariant: true }),
      );
      return logits ?? hidden;
    });
    const values = await y.read();
    y.dispose();
    return values;
  };
  const [utterances, width] = samples.shape as [number, number];
  const all = await run(samples, lengths);
  for (let i = 0; i < utterances; i++) {
    const length = lengths[i]!;
    const valid = samples.data.slice(i * width, i * width + length);
    const single = await run(nd([1, length], valid), [length]);
    const start = i * all.length / utterances;
    assertEquals(all.slice(start, start + single.length), single);
  }
}

Deno.test("an utterance that is too short for a frame is refused", async () => {
  const { gpu, model } = await loadTiny("wav2vec2 base");
  const run = (samples: Tensor, lengths: number[] | null) =>
    gpu.scope(() => model.forward({ samples, lengths }));
  using short = gpu.zeros([1, 20]);
  assertThrows(
    () => run(short, null),
    RangeError,
    "each utterance must have at least one frame: one has 20 samples",
  );
  using padded = gpu.zeros([2, 2500]);
  assertThrows(
    () => run(padded, [2500, 20]),
    RangeError,
    "each utterance must have at least one frame: one has 20 samples",
  );
  assertEquals(framesOf(model.config, 20), 0);
  model.dispose();
});
