// The library prunes as the command line does.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadAudio } from "../../../data/audio/audio.ts";
import { loadCorpus } from "../../../data/corpus/load_corpus.ts";
import { loadModel } from "../../../model/inference/load_model.ts";
import { prune, type PruneOptions, type PruneProgress } from "../../../prune/run/prune.ts";
import { testGpu } from "../../gpu.ts";
import { run, withCorpus } from "../../train/tone_corpus.ts";

const SETTINGS = {
  steps: 6,
  finetuneSteps: 4,
  batchSeconds: 1.5,
  lr: 1e-3,
  seconds: 1,
  saveEvery: 2,
  evalEvery: 2,
  seed: 3,
} as const;

const WORDS = Object.entries(SETTINGS).flatMap(([name, value]) => {
  return [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)];
});

/** A trained model of tones beside its corpus, and what prunes it. */
async function withModel(
  test: (
    dir: string,
    pruneHere: (options?: Partial<PruneOptions>) => ReturnType<typeof prune>,
  ) => Promise<void>,
): Promise<void> {
  const gpu = await testGpu();
  await withCorpus(async (dir) => {
    const train = ["train", "--recipe", `${dir}/recipe.json`, "--lr", "0.003", "--steps", "3"];
    const { status, err } = await run(...train, "--task", "asr", "--out", `${dir}/model`);
    assertEquals(status, 0, err);
    using model = await loadModel(`${dir}/model`, { gpu });
    await test(dir, (options = {}) => prune(model, { train: `${dir}/corpus`, ...SETTINGS, ...options }));
  });
}

const files = async (folder: string) => ({
  model: await Deno.readFile(`${folder}/model.safetensors`),
  record: await Deno.readTextFile(`${folder}/espalier.json`),
});

Deno.test("prune gives the bits of the command line, from a folder or memory, interrupted or not", () =>
  withModel(async (dir, pruneHere) => {
    const words = ["prune", "--model", `${dir}/model`, "--data", `${dir}/corpus`, ...WORDS];
    const { status, err } = await run(...words, "--out", `${dir}/command`);
    assertEquals(status, 0, err);
    const expected = await files(`${dir}/command`);

    // In memory, with examples in memory.
    const inMemory = async (subset: string) => {
      const utterances = await loadCorpus(`${dir}/corpus`, { subset });
      return await Promise.all(
        utterances.map(async ({ id, text, audio }) => ({
          id,
          text,
          audio: (await loadAudio(audio)).samples,
        })),
      );
    };
    const stages: PruneProgress[] = [];
    const { compact, report } = await pruneHere({
      train: await inMemory("train"),
      dev: await inMemory("dev"),
      onProgress: (progress) => stages.push(progress),
    });
    const { files: written } = await compact.toFiles();
    assertEquals(written["model.safetensors"], expected.model);
    assertEquals(new TextDecoder().decode(written["espalier.json"]), expected.record);
    assertEquals(report.models.map(({ name }) => name), ["dense", "pruned", "fine-tuned"]);
    assertEquals(report.pruning.steps.length, 6);
    assertEquals(
      [...new Set(stages.map(({ stage }) => stage))],
      ["evaluate dense", "prune", "evaluate pruned", "fine-tune", "evaluate fine-tuned", "measure time"],
    );
    compact.dispose();

    // With a folder, interrupted in each phase.
    const out = `${dir}/out`;
    for (const [stage, step] of [["prune", 3], ["fine-tune", 2]] as const) {
      const controller = new AbortController();
      const stopped = pruneHere({
        out,
        resume: true,
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.stage === stage && progress.step === step) controller.abort();
        },
      });
      await assertRejects(() => stopped, DOMException, "aborted");
    }
    await assertRejects(() => pruneHere({ out }), Error, "must be empty or have a run to resume");
    await assertRejects(() => pruneHere({ out, resume: true, lr: 1 }), Error, "lr must be as it was: 0.001");
    const { compact: resumed } = await pruneHere({ out, resume: true });
    resumed.dispose();
    assertEquals(await files(out), expected);
    assert((await Deno.stat(`${out}/report.html`)).isFile);
  }));
