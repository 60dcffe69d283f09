// What a run rests on: noticed where it has changed, and what depends on it run again.
import program from "../../deno.json" with { type: "json" };
import { fileError } from "../../files/atomic_file.ts";
import {
  type Fingerprints,
  type Input,
  modelFingerprint,
  subsetFingerprint,
  vocabularyFingerprint,
} from "../../train/fingerprints.ts";
import type { PruneRun } from "./open_run.ts";
import type { Journal } from "./stages.ts";

const STAGES = [
  "evaluate dense",
  "prune",
  "evaluate pruned",
  "fine-tune",
  "evaluate fine-tuned",
  "measure time",
];

/** Stages whose results depend on an input. A run that another version resumes keeps its results. */
const DEPENDENTS: Readonly<Record<Input, readonly string[]>> = {
  version: [],
  model: STAGES,
  vocabulary: STAGES,
  train: STAGES.slice(STAGES.indexOf("prune")),
  dev: STAGES.slice(STAGES.indexOf("fine-tune")),
  test: STAGES.filter((name) => name.startsWith("evaluate")),
};

/** Folders of the stages that resume from a state. */
const FOLDERS: Readonly<Record<string, string>> = { "prune": "prune", "fine-tune": "finetune" };

/**
 * Fingerprints of what a run rests on.
 *
 * @param run Its model and utterances.
 */
export async function runInputs({ base, corpus: { train, dev, test } }: PruneRun): Promise<Fingerprints> {
  return {
    version: program.version,
    model: await modelFingerprint(base),
    vocabulary: await vocabularyFingerprint(base.files),
    train: await subsetFingerprint(train.utterances),
    dev: await subsetFingerprint(dev?.utterances ?? null),
    test: await subsetFingerprint(test.utterances),
  };
}

/** Stages that depend on inputs, in their order. */
export function stagesOn(inputs: readonly Input[]): string[] {
  return STAGES.filter((name) => inputs.some((input) => DEPENDENTS[input].includes(name)));
}

/**
 * Takes the stages that depend on changed inputs as not done, and removes their states.
 *
 * @param out Folder of the run; null for a process that does not write to it.
 * @param journal Its journal.
 * @param inputs What has changed.
 * @param now Fingerprints of now.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function redoStagesOn(
  out: string | null,
  journal: Journal,
  inputs: readonly Input[],
  now: Fingerprints,
): Promise<void> {
  const names = stagesOn(inputs);
  // The states first: a process that is killed in between finds the old fingerprints again.
  for (const name of names) {
    if (!FOLDERS[name] || out === null) continue;
    await Deno.remove(`${out}/run/${FOLDERS[name]}`, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw fileError("remove", `${out}/run/${FOLDERS[name]}`, error);
      }
    });
  }
  await journal.redo(names, now);
}
