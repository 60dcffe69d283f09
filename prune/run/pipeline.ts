/**
 * This folder runs a whole pruning, from a fine-tuned model to a compact one: evaluate, prune with gates, remove units, evaluate, fine-tune,
 * evaluate, measure speed. Every stage leaves on disk what the next ones need, so that an interrupted run resumes.
 *
 * @module
 */
import { makeFolder } from "../../files/atomic_file.ts";
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
import { type PruneRecord, pruneRecord, type RecordedUnits } from "../record.ts";
import { compact } from "../surgery.ts";
import { writeCompactModel } from "./model_folder.ts";
import type { PhaseOptions, PipelineOptions, PipelineResult } from "./pipeline_options.ts";
import { gatesOf, measureTime, pruningTrainer, teacherOf } from "./pipeline_parts.ts";

/**
 * Prunes a model.
 *
 * @returns The results, or null if the signal came: the state of the run is on disk then.
 * @throws {RangeError} If a target cannot be met, or a loss is not finite.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineResult | null> {
  const { gpu, checkpoint, before, out, journal, log, finetuning } = options;
  const compactFolder = `${out}/run/compact`;
  using teacher = teacherOf(options, gpu);

  const dense = await journal.runStage("evaluate dense", () => {
    log("evaluating the model before pruning");
    return evaluateDense(options);
  });

  const record = await journal.runStage("prune", () => prune(options, teacher, compactFolder));
  if (!record) return null;
  await removeState(`${out}/run/prune`);

  const pruned = await journal.runStage("evaluate pruned", () => {
    log("evaluating the compact model");
    return evaluateFolder(compactFolder, options);
  });

  const done = await journal.runStage("fine-tune", async () => {
    const { files, half } = options;
    const folder = finetuning ? `${out}/run/finetune` : compactFolder;
    if (finetuning) {
      const ended = await finetuneCompact(options, finetuning, { from: compactFolder, folder, teacher });
      if (ended === "signal") return null;
    }
    await writeCompactModel(out, { checkpoint: await readCheckpoint(folder), files, record, half });
    return true;
  });
  if (!done) return null;
  await removeState(`${out}/run/finetune`);

  const evaluations = [dense!, pruned!];
  if (finetuning) {
    const finetuned = await journal.runStage("evaluate fine-tuned", () => {
      log("evaluating the fine-tuned model");
      return evaluateFolder(out, options);
    });
    evaluations.push(finetuned!);
  }
  const speed = await journal.runStage("measure time", async () => {
    log("measuring speed");
    return await measureTime([checkpoint, await readCheckpoint(out)], gpu, options);
  });
  return { evaluations, record, units: unitsOf(checkpoint, record, before), speed: speed! };
}

/** Prunes the model and writes the compact one to a folder. Null after the signal. */
async function prune(
  options: PipelineOptions,
  teacher: Teacher | null,
  folder: string,
): Promise<PruneRecord | null> {
  const { checkpoint, files, half, finetuning } = options;
  const pruned = await chooseUnits(options, teacher);
  if (!pruned) return null;
  const { model, choice } = pruned;
  const { config } = checkpoint;
  const record = pruneRecord({
    version: options.version,
    base_model: options.name,
    method: options.method,
    round_to: options.roundTo,
    config,
    constraints: planMethod(config, options).constraints,
    choice,
    before: options.before,
  });
  const compacted = { ...checkpoint, layoutOnDisk: PUBLISHED_LAYOUT, ...compact(model, choice) };
  // Fine-tuning starts from this folder, and from f32.
  await writeCompactModel(folder, { checkpoint: compacted, files, record, half: half && !finetuning });
  return record;
}

/** Trains the gates, or ranks units by magnitude. Returns the trained weights and the units to keep; null after the signal. */
async function chooseUnits(
  options: PipelineOptions,
  teacher: Teacher | null,
): Promise<{ model: Checkpoint; choice: Choice } | null> {
  const { gpu, checkpoint, out, roundTo, pruning, log } = options;
  const { config } = checkpoint;
  const { constraints, kinds, trained } = planMethod(config, options);
  if (!trained) {
    log("choosing units by magnitude");
    const choice = chooseUniform(unitMagnitudes(checkpoint, kinds), { config, constraints, roundTo });
    return { model: checkpoint, choice };
  }
  log(`pruning by ${options.method}`);
  const folder = `${out}/run/prune`;
  await makeFolder(folder);
  const gates = gatesOf(options);
  using trainer = pruningTrainer(options, { gpu, gates, teacher });
  const { ended } = await train(trainer, {
    ...loopOptions(options, pruning),
    out: folder,
    resume: await loadRunState(`${folder}/state`, pruning.steps),
  });
  if (ended === "signal") return null;
  trainer.freeTraining(); // gradients and moments, before the weights are read
  const model = await readModel(trainer.model, checkpoint);
  return { model, choice: chooseByGates(gates.logAlpha, { config, constraints, roundTo }) };
}

/** Fine-tunes the compact model of one folder and writes the best weights to another. Returns why it ended. */
async function finetuneCompact(
  options: PipelineOptions,
  phase: PhaseOptions,
  { from, folder, teacher }: { from: string; folder: string; teacher: Teacher | null },
) {
  const { gpu, gradCheckpoint, weightDecay, log } = options;
  log("fine-tuning the compact model");
  await makeFolder(folder);
  const { ended } = await finetune({
    ...loopOptions(options, phase),
    gpu,
    teacher,
    gradCheckpoint,
    checkpoint: await readCheckpoint(from),
    out: folder,
    weightDecay,
    resume: await loadRunState(`${folder}/state`, phase.steps),
  });
  return ended;
}

function loopOptions({ source, dev, tokenizer = null, signal }: PipelineOptions, phase: PhaseOptions) {
  return { ...phase, source, ...dev && { dev }, tokenizer, signal };
}

async function evaluateDense(options: PipelineOptions): Promise<Evaluation> {
  const { gpu, checkpoint, preprocessor, tokenizer = null, name } = options;
  using model = new SpeechModel(gpu, checkpoint);
  const loaded = new LoadedModel({ model, preprocessor, tokenizer, notes: [], name }, false);
  return await evaluateModel(loaded, options);
}

async function evaluateFolder(folder: string, options: PipelineOptions): Promise<Evaluation> {
  using loaded = await loadModel(folder, { gpu: options.gpu });
  return await evaluateModel(loaded, options);
}

function evaluateModel(model: LoadedModel, { test, normalize }: PipelineOptions): Promise<Evaluation> {
  return evaluate(model, test(), { normalize });
}

/** Kept units of all groups, including those that pruning left whole. */
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

/** Removes the saved states of a training whose result is on disk. */
async function removeState(folder: string): Promise<void> {
  await Deno.remove(`${folder}/state`, { recursive: true }).catch(() => {});
}
