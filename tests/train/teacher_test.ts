import { assert, assertEquals } from "@std/assert";
import { SpeechModel } from "../../model/speech_model.ts";
import { backward } from "../../tensor/backward.ts";
import type { MicroBatch } from "../../train/micro_batch.ts";
import { forwardBatch } from "../../train/task_loss.ts";
import { Teacher } from "../../train/teacher.ts";
import { testGpu } from "../gpu.ts";
import { klDivergence } from "../oracle/kl_divergence.ts";
import { logSoftmax } from "../oracle/log_softmax.ts";
import { nd } from "../oracle/nd.ts";
import { tinyCheckpoint, toneBatch } from "./tiny.ts";

const NAMES = ["wav2vec2 large", "wav2vec2 intents"] as const;
/** Of one length, since padding changes the output of one of the models. */
const TEXTS = [[3, 4, 5], [6, 3, 7], [5, 1, 6], [8, 4, 4]];
const KEYS = TEXTS.map((text) => text.join(" "));

/** A divergence, and the gradient of the last bias. */
async function divergence(
  student: SpeechModel,
  teacher: Teacher,
  batch: MicroBatch,
): Promise<[number, Float32Array]> {
  const bias = student.weights.get(student.head === "ctc" ? "lm_head.bias" : "classifier.bias");
  const [loss, gradient] = student.gpu.scope(() => {
    const task = student.gpu.tensor([8], []);
    const loss = teacher.loss(task, batch, forwardBatch(student, batch));
    return [loss.read(), backward(loss).get(bias)!.read()];
  });
  return [(await loss)[0]!, await gradient as Float32Array];
}

for (const name of NAMES) {
  Deno.test(`${name}: the divergence is that of both models on each utterance without padding`, async () => {
    const gpu = await testGpu();
    const [own, other] = [tinyCheckpoint(name), tinyCheckpoint(name, { seed: 4 })];
    using student = new SpeechModel(gpu, own);
    student.weights.require();
    const batch = { ...toneBatch(own, TEXTS), keys: KEYS };
    using teacher = new Teacher(new SpeechModel(gpu, other), { share: 0.5 });
    using same = new SpeechModel(gpu, other);

    let expected = 0.5 * 8;
    for (const text of TEXTS) {
      const single = toneBatch(own, [text]);
      const logits = async (model: SpeechModel) => {
        const [shape, data] = gpu.scope(() => {
          const { logits } = forwardBatch(model, single);
          return [logits.shape, logits.read()] as const;
        });
        return nd(shape, (await data as Float32Array).map((x) => x / 2));
      };
      const target = logSoftmax(await logits(same));
      const rows = nd(
        target.shape.slice(0, -1),
        new Array(target.data.length / target.shape.at(-1)!).fill(1),
      );
      const sum = klDivergence(await logits(student), target, rows).data.reduce((a, b) => a + b, 0);
      expected += 0.5 * sum / (own.head === "ctc" ? text.length : 1);
    }
    const average = 4 + (expected - 4) / TEXTS.length;
    const [mean] = await divergence(student, teacher, batch);
    assert(Math.abs(mean - average) < 2e-5 * average, `${mean}, not ${average}`);
  });

  Deno.test(`${name}: cached targets equal computed ones, and the divergence of a model from itself is 0`, async () => {
    const gpu = await testGpu();
    const checkpoint = tinyCheckpoint(name);
    const before = gpu.pool.live;
    {
      using student = new SpeechModel(gpu, checkpoint);
      student.weights.require();
      using uncached = new Teacher(new SpeechModel(gpu, tinyCheckpoint(name, { seed: 4 })), {
        share: 1,
        cacheBytes: 0,
      });
      using cached = new Teacher(new SpeechModel(gpu, tinyCheckpoint(name, { seed: 4 })), { share: 1 });
      const part = { ...toneBatch(checkpoint, TEXTS.slice(1)), keys: KEYS.slice(1) };
      const whole = { ...toneBatch(checkpoint, TEXTS), keys: KEYS };
      await divergence(student, cached, part);
      const expected = await divergence(student, uncached, whole);
      assertEquals(await divergence(student, cached, whole), expected);
      const live = gpu.pool.live;
      assertEquals(await divergence(student, cached, whole), expected);
      assertEquals(gpu.pool.live, live);
      // An utterance with noise does not come again: the batch is computed with its padding.
      const [padded] = await divergence(student, cached, { ...whole, keys: [null, ...KEYS.slice(1)] });
      assert(Math.abs(padded - expected[0]) < 1e-4 * expected[0], `${padded}, not ${expected[0]}`);

      using itself = new Teacher(new SpeechModel(gpu, checkpoint), { share: 1 });
      const [none, gradient] = await divergence(student, itself, whole);
      assert(Math.abs(none) < 1e-5, `divergence from itself: ${none}`);
      assert(gradient.every((x) => Math.abs(x) < 1e-5), `gradient of that: ${gradient}`);
    }
    assertEquals(gpu.pool.live, before);
  });
}
