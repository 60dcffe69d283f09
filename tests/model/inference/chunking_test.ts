// Clips that are heard several at a time, and long ones in windows, against one forward pass for each.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SpeechModel } from "../../../model/speech_model.ts";
import { chunksOf, frameLogits, utteranceLogits } from "../../../model/inference/chunking.ts";
import { testGpu } from "../../gpu.ts";
import { assertClose } from "../../kernels/check_op.ts";
import { randomNd } from "../../oracle/nd.ts";
import { tinyCheckpoint } from "../../train/tiny.ts";

/** Clips of noise, of lengths that pad badly. */
const clips = [5000, 1700, 5000, 3333, 900].map((length, i) => {
  return Float32Array.from(randomNd([length], i + 1).data);
});

/** What a model says of a clip by itself. */
async function alone(model: SpeechModel, clip: Float32Array, masked: boolean): Promise<ArrayLike<number>> {
  const { gpu } = model;
  using logits = gpu.scope(() => {
    const samples = gpu.tensor(clip, [1, clip.length]);
    return model.forward({ samples, lengths: masked ? [clip.length] : null }).logits!;
  });
  return await logits.read();
}

for (const name of ["wav2vec2 base", "wav2vec2 large", "wav2vec2 intents"] as const) {
  for (const masked of [true, false]) {
    Deno.test(`${name} hears clips together as it does alone, ${masked ? "" : "not "}masked`, async () => {
      using model = new SpeechModel(await testGpu(), tinyCheckpoint(name));
      let batches = 0;
      const { forward } = model;
      model.forward = (...args) => {
        batches++;
        return forward.apply(model, args);
      };
      const options = { masked, windowSeconds: 15_000 / 16_000 };
      const together = model.head === "ctc"
        ? (await frameLogits(model, clips, options)).map(({ logits }) => logits)
        : await utteranceLogits(model, clips, options);
      assertEquals(batches, 2); // 900 + 1700 + 3333 in one, 5000 twice in the other
      for (const [i, clip] of clips.entries()) {
        assertClose(`clip ${i}`, together[i]!, await alone(model, clip, masked));
      }
    });
  }
}

Deno.test("the frames of windows are those of the clip, and only the margins differ", async () => {
  using model = new SpeechModel(await testGpu(), tinyCheckpoint("wav2vec2 large"));
  const options = { masked: true, windowSeconds: 0.15, marginSeconds: 0.02 };
  const windows = chunksOf(model, clips[0]!.length, options);
  assert(windows.length > 2, `${windows.length} windows`);
  windows.forEach(({ first }, i) => {
    assertEquals(first, windows.slice(0, i).reduce((sum, { keep }) => sum + keep, 0));
  });
  const [heard] = await frameLogits(model, [clips[0]!], options);
  const { logits, frames, labels } = heard!;
  assertEquals(logits.length, frames * labels);
  for (const { from, to, skip, keep, first } of windows) {
    const own = await alone(model, clips[0]!.subarray(from, to), true);
    const kept = Array.from(own).slice(skip * labels, (skip + keep) * labels);
    assertClose(`from ${from}`, logits.subarray(first * labels, (first + keep) * labels), kept);
  }
  const narrow = { ...options, marginSeconds: 1 };
  await assertRejects(
    () => frameLogits(model, clips, narrow),
    RangeError,
    "a window must be longer than its margins",
  );
});
