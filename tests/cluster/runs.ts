// The runs of the tests, on a small corpus.
import { assertEquals } from "@std/assert";
import { alone } from "./mpi.ts";

/** Steps of a training, and of a pruning. */
export const STEPS = 20;

/** Tests by name; each gets a folder with a corpus and a recipe. */
export type Tests = Map<string, (dir: string) => Promise<void>>;

/** Words of a training run. */
export function trainWords(dir: string, out: string, ...more: string[]): string[] {
  const rates = ["--lr", "0.003", "--steps", String(STEPS), "--save-every", "2", "--eval-every", "10"];
  return ["train", "--recipe", `${dir}/recipe.json`, ...rates, "--out", `${dir}/${out}`, ...more];
}

/** Words of a pruning run. */
export function pruneWords(dir: string, out: string, ...more: string[]): string[] {
  const source = ["--model", `${dir}/model`, "--data", `${dir}/corpus`, "--batch-seconds", "1.5"];
  const rates = ["--steps", String(STEPS), "--finetune-steps", "4", "--lr", "1e-3", "--seconds", "1"];
  return ["prune", ...source, ...rates, "--save-every", "2", "--out", `${dir}/${out}`, ...more];
}

/** A trained model beside the corpus. */
export async function putModel(dir: string): Promise<void> {
  const { status, err } = await alone(...trainWords(dir, "model", "--steps", "3"));
  assertEquals(status, 0, err);
}
