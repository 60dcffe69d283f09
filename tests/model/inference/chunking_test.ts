// Utterances in batches, and long ones in chunks, against one forward pass for each.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SpeechModel } from "../../../model/speech_model.ts";
import { chunksOf, frameLogits, utteranceLogits } from "../../../model/inference/chunking.ts";
import { testGpu } from "../../gpu.ts";
import { assertClose } from "../../kernels/check_op.ts";
import { randomNd } from "../../oracle/nd.ts";
import { tinyCheckpoint } from "../../train/tiny.ts";

/** Noise, of lengths that pad badly. */
const utterances = [5000, 1700, 5000, 3333, 900].map((length, i) => {
  return Float32Array.from(randomNd([length], i + 1).data);
});

/** Logits of one utterance, run by itself. */
async function logitsOf(
  model: SpeechModel,
  utterance: Float32Array,
  masked: boolean,
): Promise<ArrayLike<number>> {
  const { gpu } = model;
  using logits = gpu.scope(() => {
    const samples = gpu.tensor(utterance, [1, utterance.length]);
    return model.forward({ samples, lengths: masked ? [utterance.length] : null }).logits!;
  });
  return await logits.read();
}

for (const name of ["wav2vec2 base", "wav2vec2 large", "wav2vec2 intents"] as const) {
  for (const masked of [true, false]) {
    Deno.test(`${name} gives a batch the logits of each utterance by itself, ${masked ? "" : "not "}masked`, async () => {
      using model = new SpeechModel(await testGpu(), tinyCheckpoint(name));
      let batches = 0;
      const { forward } = model;
      model.forward = (...args) => {
        batches++;
        return forward.apply(model, args);
      };
      const options = { masked, chunkSeconds: 15_000 / 16_000 };
      const batched = model.head === "ctc"
        ? (await frameLogits(model, utterances, options)).map(({ logits }) => logits)
        : await utteranceLogits(model, utterances, options);
      assertEquals(batches, 2); // 900 + 1700 + 3333 in one, 5000 twice in the other
      for (const [i, utterance] of utterances.entries()) {
        assertClose(`utterance ${i}`, batched[i]!, await logitsOf(model, utterance, masked));
      }
    });
  }
}

Deno.test("the kept frames of chunks are those of the utterance; only the strides differ", async () => {
  using model = new SpeechModel(await testGpu(), tinyCheckpoint("wav2vec2 large"));
  const options = { masked: true, chunkSeconds: 0.15, strideSeconds: 0.02 };
  const chunks = chunksOf(model, utterances[0]!.length, options);
  assert(chunks.length > 2, `${chunks.length} chunks`);
  chunks.forEach(({ first }, i) => {
    assertEquals(first, chunks.slice(0, i).reduce((sum, { keep }) => sum + keep, 0));
  });
  const [output] = await frameLogits(model, [utterances[0]!], options);
  const { logits, frames, labels } = output!;
  assertEquals(logits.length, frames * labels);
  for (const { from, to, skip, keep, first } of chunks) {
    const direct = await logitsOf(model, utterances[0]!.subarray(from, to), true);
    const kept = Array.from(direct).slice(skip * labels, (skip + keep) * labels);
    assertClose(`from ${from}`, logits.subarray(first * labels, (first + keep) * labels), kept);
  }
  const tooWide = { ...options, strideSeconds: 1 };
  await assertRejects(
    () => frameLogits(model, utterances, tooWide),
    RangeError,
    "a chunk must be longer than two strides",
  );
});
