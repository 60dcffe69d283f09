// A run of pruning from the fine-tuned model to the compact one: evaluate, prune with gates, cut, evaluate, fine-tune,
// evaluate, measure. Every phase leaves what the next one needs on disk, so that a run goes on from wherever it ended.

import { type Checkpoint, PUBLISHED_LAYOUT, readCheckpoint } from "../../model/checkpoint/read.ts";
import { unitCounts } from "../../model/costs.ts";
import { evaluate, type Evaluation } from "../../model/inference/evaluate.ts";
import { LoadedModel, loadModel } from "../../model/inference/load_model.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { readModel } from "../../train/best.ts";
import { finetune, train } from "../../train/loop.ts";
import { loadRunState } from "../../train/run_state.ts";
import type { Teacher } from "../../train/teacher.ts";
import { type Choice, chooseByGates, chooseUniform } from "../choose.ts";
import { unitGroups } from "../groups.ts";
import { unitMagnitudes } from "../magnitude.ts";
import { planMethod } from "../method.ts";
import { writeCompactModel } from "./model_folder.ts";
import { type PruneRecord, pruneRecord, RECORD_FILE, type RecordedUnits } from "../record.ts";
import { parsePruneRecord } from "../record_file.ts";
import type { PhaseOptions, PipelineOptions, PipelineResult } from "./pipeline_options.ts";
import { gatesOf, measureTime, pruningTrainer, teacherOf } from "./pipeline_parts.ts";
import { compact } from "../surgery.ts";

/**
 * Prunes a model.
 *
 * @returns What it found, or null if the signal came: the run's state is on disk then.
 * @throws {RangeError} If a target cannot be met, or a loss is not finite.
 * @throws {Error} If the system refuses to write; one line.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineResult | null> {
  const { gpu, checkpoint, out, journal, say, tuning, files, before, half } = options;
  const compactFolder = `${out}/run/compact`;
  using teacher = teacherOf(options, gpu);

  say("evaluating the model as it is");
  const dense = await journal.runStage("evaluate dense", async () => {
    const { preprocessor, tokenizer = null, name } = options;
    const model = new SpeechModel(gpu, checkpoint);
    try {
      return await judge(
        new LoadedModel({ model, preprocessor, tokenizer, notes: [], name }, false),
        options,
      );
    } finally {
      model.dispose();
    }
  });
  const record = await journal.runStage("prune", async () => {
    const found = await prune(options, teacher);
    if (!found) return null;
    const { config } = checkpoint;
    const { constraints } = planMethod(config, options);
    const record = pruneRecord({
      version: options.version,
      base_model: options.name,
      method: options.method,
      round_to: options.roundTo,
      config,
      constraints,
      choice: found.choice,
      before,
    });
    const cut = { ...checkpoint, layoutOnDisk: PUBLISHED_LAYOUT, ...compact(found.model, found.choice) };
    await writeCompactModel(compactFolder, { checkpoint: cut, files, record, half: half && !tuning });
    return record;
  });
  if (!record) return null;
  await removeState(`${out}/run/prune`);

  say("evaluating the compact model");
  const pruned = await journal.runStage("evaluate pruned", () => judgeFolder(compactFolder, options));
  const done = await journal.runStage("fine-tune", async () => {
    const folder = tuning ? `${out}/run/tune` : compactFolder;
    if (tuning && await tune(options, { folder, tuning, teacher }) === null) return null;
    await writeCompactModel(out, { checkpoint: await readCheckpoint(folder), files, record, half });
    return true;
  });
  if (!done) return null;
  await removeState(`${out}/run/tune`);

  if (tuning) say("evaluating the fine-tuned model");
  const tuned = tuning
    ? await journal.runStage("evaluate fine-tuned", () => judgeFolder(out, options))
    : null;
  say("measuring time");
  const speed = await journal.runStage(
    "measure time",
    async () => await measureTime([checkpoint, await readCheckpoint(out)], gpu, options),
  );
  const evaluations = [dense!, pruned!, ...tuned ? [tuned] : []];
  return { evaluations, record, units: unitsOf(checkpoint, record, before), speed: speed! };
}

/** Trains the gates, or chooses without; the weights as they are then, and the units to keep. Null after the signal. */
async function prune(
  options: PipelineOptions,
  teacher: Teacher | null,
): Promise<{ model: Checkpoint; choice: Choice } | null> {
  const { gpu, checkpoint, out, roundTo, pruning, say } = options;
  const { config } = checkpoint;
  const { constraints, kinds, trained } = planMethod(config, options);
  if (!trained) {
    say("choosing units by magnitude");
    const choice = chooseUniform(unitMagnitudes(checkpoint, kinds), { config, constraints, roundTo });
    return { model: checkpoint, choice };
  }
  say(`pruning by ${options.method}`);
  const folder = `${out}/run/prune`;
  await makeFolder(folder);
  const gates = gatesOf(options);
  using trainer = pruningTrainer(options, { gpu, gates, teacher });
  const { ended } = await train(trainer, {
    ...loopOptions(options, pruning),
    out: folder,
    resume: await loadRunState(`${folder}/state`),
  });
  if (ended === "signal") return null;
  trainer.finish(); // a copy of the weights comes to the host, and gradients and averages are no longer needed
  const model = await readModel(trainer.model, checkpoint);
  return { model, choice: chooseByGates(gates.logAlpha, { config, constraints, roundTo }) };
}

/** Fine-tunes the compact model; its best weights are in the folder then. Null after the signal. */
async function tune(
  options: PipelineOptions,
  { folder, tuning, teacher }: { folder: string; tuning: PhaseOptions; teacher: Teacher | null },
): Promise<true | null> {
  const { gpu, out, gradCheckpoint, weightDecay, say } = options;
  say("fine-tuning the compact model");
  await makeFolder(folder);
  const { ended } = await finetune({
    ...loopOptions(options, tuning),
    gpu,
    teacher,
    gradCheckpoint,
    checkpoint: await readCheckpoint(`${out}/run/compact`),
    out: folder,
    weightDecay,
    resume: await loadRunState(`${folder}/state`),
  });
  return ended === "signal" ? null : true;
}

function loopOptions({ source, dev, tokenizer = null, signal }: PipelineOptions, phase: PhaseOptions) {
  return { ...phase, source, ...dev && { dev }, tokenizer, signal };
}

async function judgeFolder(folder: string, options: PipelineOptions): Promise<Evaluation> {
  const loaded = await loadModel(folder, { gpu: options.gpu });
  try {
    return await judge(loaded, options);
  } finally {
    loaded.dispose();
  }
}

function judge(loaded: LoadedModel, { test, normalize }: PipelineOptions): Promise<Evaluation> {
  return evaluate(loaded, test(), { normalize });
}

/** Kept units of all groups, those too that pruning left whole. */
function unitsOf(
  { config }: Checkpoint,
  record: PruneRecord,
  before: PruneRecord | null,
): Readonly<Record<string, RecordedUnits>> {
  const counts = unitCounts(config);
  const whole = unitGroups(config).map(({ name, kind, layer }) => {
    const kept = Array.from({ length: counts[kind][layer]! }, (_, i) => i);
    return [name, before?.units[name] ?? { of: kept.length, kept }] as const;
  });
  return { ...Object.fromEntries(whole), ...record.units };
}

async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
}

/** Removes the state of a phase once its result is safe. */
async function removeState(folder: string): Promise<void> {
  await Deno.remove(`${folder}/state`, { recursive: true }).catch(() => {});
}

/**
 * Reads the record of a model that was pruned before.
 *
 * @param folder Folder of the model.
 * @returns Its record, or null if it has none.
 * @throws {SyntaxError | TypeError | RangeError} If it is wrong; one line.
 */
export async function readRecord(folder: string): Promise<PruneRecord | null> {
  const path = `${folder}/${RECORD_FILE}`;
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  return text === null ? null : parsePruneRecord(text, path);
}
