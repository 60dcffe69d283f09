// The pipelines of transformers.js, on exported folders, give what `transcribe` and `classify` give.
import { assert, assertEquals } from "@std/assert";
import { env, pipeline } from "npm:@huggingface/transformers@4.3.2";
import { loadFlite } from "../../data/synthetic/flite.ts";
import { planCommands, type Sentence } from "../../data/synthetic/plan.ts";
import { errorRate, wordEdits } from "../../model/inference/error_rate.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { full, variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { run } from "./run.ts";

const assets = decodeURIComponent(new URL("../../assets/", import.meta.url).pathname);

/** Sentences of the embedded corpus: all of `test` in the full suite. */
const TEST = 300;
const COMPARED = full ? TEST : 20;

/** Rise of the word error rate that 8-bit weights may cost. */
const MAX_COST = 0.005;

interface Spoken extends Sentence {
  readonly samples: Float32Array<ArrayBuffer>;
}

async function spokenSentences(): Promise<Spoken[]> {
  const speak = await loadFlite();
  const sentences = planCommands({ train: 0, dev: 0, test: TEST, seed: 0 }).slice(0, COMPARED);
  const spoken: Spoken[] = [];
  for (const sentence of sentences) {
    const samples = Float32Array.from(await speak(sentence.text, sentence.voice), (x) => x / 32_768);
    spoken.push({ ...sentence, samples });
  }
  return spoken;
}

const spoken = await spokenSentences();

async function withExported(model: string, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const dtypes = variants(["f32", "f16", "q8"], "f32").join();
    const words = ["export", `${assets}${model}`, "--to", "onnx", "--dtype", dtypes, "--out"];
    assertEquals((await run(...words, `${folder}/model`)).status, 0);
    env.allowRemoteModels = false;
    env.localModelPath = folder;
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const model of variants(["commands-tiny", "commands-tiny-compact"], "commands-tiny-compact")) {
  Deno.test(`the pipeline of speech recognition gives the texts of transcribe, ${model}`, async () => {
    using ours = await loadModel(`${assets}${model}`, { gpu: await testGpu() });
    const expected = (await ours.transcribeAll(spoken.map(({ samples }) => samples))).map(({ text }) => text);
    const wer = (texts: readonly string[]) =>
      errorRate(texts.map((text, i) => wordEdits(spoken[i]!.text.toUpperCase(), text))).value;
    await withExported(model, async () => {
      for (const dtype of variants(["fp32", "fp16", "q8"] as const, "fp32")) {
        const transcribe = await pipeline("automatic-speech-recognition", "model", { dtype });
        const texts: string[] = [];
        for (const { samples } of spoken) {
          const result = await transcribe(samples);
          texts.push((result as { text: string }).text);
        }
        await transcribe.dispose();
        if (dtype === "fp32") assertEquals(texts, expected);
        assert(wer(texts) <= wer(expected) + MAX_COST, dtype);
      }
    });
  });
}

Deno.test("the pipeline of classification gives the classes of classify", async () => {
  const model = "commands-tiny/intents";
  using ours = await loadModel(`${assets}${model}`, { gpu: await testGpu() });
  const expected = (await ours.classifyAll(spoken.map(({ samples }) => samples))).map(([best]) => best!);
  await withExported(model, async () => {
    const classify = await pipeline("audio-classification", "model", { dtype: "fp32" });
    for (const [i, { samples }] of spoken.entries()) {
      const [best] = await classify(samples, { top_k: 1 }) as { label: string; score: number }[];
      assertEquals(best!.label, expected[i]!.label);
      assert(Math.abs(best!.score - expected[i]!.probability) < 1e-4);
    }
    await classify.dispose();
  });
});
