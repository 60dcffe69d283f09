// A trained model of tones beside its corpus, and what a run of `prune` on it ends with.
import { assertEquals } from "@std/assert";
import { readMetrics } from "../../../train/metrics.ts";
import { put } from "../../data/folder.ts";
import { run, withCorpus } from "../../train/tone_corpus.ts";

/** Files of a trained model, by its task. */
const models = new Map<string, Record<string, Uint8Array<ArrayBuffer>>>();

/** Trains a model of tones, once for every task, into `model` beside the corpus. */
async function putModel(dir: string, task: "asr" | "slu"): Promise<void> {
  const known = models.get(task);
  if (known) return await put(dir, known);
  const train = ["train", "--recipe", `${dir}/recipe.json`, "--lr", "0.003", "--steps", "3"];
  const { status, err } = await run(...train, "--task", task, "--out", `${dir}/model`);
  assertEquals(status, 0, err);
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for await (const { name, isFile } of Deno.readDir(`${dir}/model`)) {
    if (isFile) files[`model/${name}`] = await Deno.readFile(`${dir}/model/${name}`);
  }
  models.set(task, files);
}

/** A trained model of tones beside its corpus, and the command that prunes it. */
export async function withModel(
  task: "asr" | "slu",
  test: (dir: string, prune: (...words: string[]) => ReturnType<typeof run>) => Promise<void>,
): Promise<void> {
  await withCorpus(async (dir) => {
    await putModel(dir, task);
    const words = ["prune", "--model", `${dir}/model`, "--data", `${dir}/corpus`, ...SMALL];
    await test(dir, (...more) => run(...words, ...more));
  });
}

/** Options of a small run. */
export const SMALL = [
  "--steps",
  "6",
  "--finetune-steps",
  "4",
  "--batch-seconds",
  "1.5",
  "--lr",
  "1e-3",
  "--seconds",
  "1",
];

/** What a run ends with, to the bit. */
export async function outcome(folder: string) {
  const records = async (phase: string) =>
    (await readMetrics(`${folder}/run/${phase}/metrics.jsonl`)).map(({ seconds: _, ...record }) => record);
  return {
    model: await Deno.readFile(`${folder}/model.safetensors`),
    record: await Deno.readTextFile(`${folder}/espalier.json`),
    pruning: await records("prune"),
    finetuning: await records("finetune"),
  };
}
