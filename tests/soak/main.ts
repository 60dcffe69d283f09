/**
 * Trains and transcribes for thousands of steps in one process, and fails if what it holds grows:
 * `deno task soak [--steps N] [--every N]`. Each round trains on from the state of the round before, evaluates, saves, loads the
 * model from disk and transcribes with it.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { preferVulkan } from "../../cli/backend.ts";
import { loadAudio } from "../../data/audio/audio.ts";
import { openBatches } from "../../data/batching/batches.ts";
import { openCorpus } from "../../data/corpus/corpus.ts";
import { parseConfig } from "../../model/config.ts";
import { parseTokenizer } from "../../model/decode/tokenizer.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { DEFAULT_PREPROCESSOR } from "../../model/inference/preprocess.ts";
import { randomCheckpoint } from "../../model/random.ts";
import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import { corpusPass, corpusSource, transcriptTargets } from "../../train/corpus_source.ts";
import { trainModel } from "../../train/loop.ts";
import { loadRunState } from "../../train/run_state.ts";
import { withCorpus } from "../train/tone_corpus.ts";
import { growth, type Sample, sampleText } from "./growth.ts";

/** What the process holds now. */
function sampleOf(gpu: Gpu, step: number): Sample {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  return {
    step,
    rss,
    heap: heapUsed,
    buffers: gpu.pool.live,
    pooled: gpu.pool.allBytes,
    textures: gpu.textures.live,
    pipelines: gpu.pipelines.count,
    // Linux lists them; elsewhere they are not counted.
    files: Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0,
  };
}

/** Trains and transcribes on a corpus of tones. */
async function soak(dir: string, { steps, every }: { steps: number; every: number }): Promise<Sample[]> {
  const out = `${dir}/out`;
  await Deno.mkdir(out);
  const letters = ["<pad>", "|", "A", "B", "C", "D", "E", "F"];
  const vocab = JSON.stringify(Object.fromEntries(letters.map((letter, id) => [letter, id])));
  await Deno.writeTextFile(`${out}/vocab.json`, vocab);
  const tokenizer = parseTokenizer({ vocab });
  const fields = JSON.parse(await Deno.readTextFile(`${dir}/config.json`));
  const dropout = { hidden_dropout: 0.1, attention_dropout: 0.1, mask_time_prob: 0.1 };
  const config = parseConfig(JSON.stringify({ ...fields, ...dropout, vocab_size: letters.length }));
  const options = {
    config,
    preprocessor: DEFAULT_PREPROCESSOR,
    targetOf: transcriptTargets(tokenizer),
    seed: 1,
  };
  const utterances = await openCorpus(`${dir}/corpus`, "train", { task: "asr" });
  const train = await openBatches(utterances, {
    seconds: 1.5,
    seed: 1,
    longer: "alone",
    speeds: [0.9, 1, 1.1],
    noise: { probability: 0.5, snr: [5, 25] },
  });
  const dev = await openBatches(utterances, { seconds: 1.5, seed: 1, shuffle: false, longer: "alone" });
  const samples: Sample[] = [];
  const gpu = await requestGpu();
  try {
    for (let done = every; done <= steps; done += every) {
      await trainModel({
        gpu,
        checkpoint: randomCheckpoint(config, 3, "ctc"),
        source: corpusSource(train, options),
        dev: () => corpusPass(dev, options),
        tokenizer,
        out,
        seed: 1,
        lr: 1e-4,
        steps: done,
        warmup: 0,
        schedule: "constant",
        evalEvery: every,
        saveEvery: every,
        resume: await loadRunState(`${out}/state`),
      });
      using loaded = await loadModel(out, { gpu });
      for (const { audio } of utterances) {
        await loaded.transcribe((await loadAudio(audio)).samples);
      }
      loaded.dispose();
      const sample = sampleOf(gpu, done);
      console.log(sampleText(sample));
      samples.push(sample);
    }
    return samples;
  } finally {
    [train, dev].forEach((batches) => batches.close());
    gpu.destroy();
  }
}

if (import.meta.main) {
  preferVulkan();
  const { values } = parseArgs({
    args: Deno.args,
    options: { steps: { type: "string", default: "10000" }, every: { type: "string", default: "100" } },
  });
  const [steps, every] = [Number(values.steps), Number(values.every)];
  const start = performance.now();
  await withCorpus(async (dir) => {
    const samples = await soak(dir, { steps, every });
    const grown = growth(samples);
    console.log(`${steps} steps in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    for (const line of grown) console.error(line);
    if (grown.length > 0) Deno.exit(1);
    console.log("nothing grows");
  });
}
