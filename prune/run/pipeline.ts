/**
 * This folder runs a whole pruning, from a fine-tuned model to a compact one: evaluate, prune with gates, remove units, evaluate, fine-tune,
 * evaluate, measure speed. Every stage leaves on disk what the next ones need, so that an interrupted run resumes.
 *
 * @module
 */
import { isRoot } from "../../comm/communicator.ts";
import { makeFolder } from "../../files/atomic_file.ts";
import { type Checkpoint, PUBLISHED_LAYOUT, readCheckpoint } from "../../model/checkpoint/read.ts";
import { unitCounts } from "../../model/costs.ts";
import { hostWeights } from "../../model/host_weights.ts";
import { evaluateUtterances, type Evaluation } from "../../model/inference/evaluate.ts";
import { LoadedModel } from "../../model/inference/loaded_model.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { json, type ModelFiles, RECORD_FILE, tokenizerIn } from "../../model/inference/model_files.ts";
import { tokenizerConfig } from "../../model/transformers/tokenizer_config.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { isAborted, train, trainModel } from "../../train/loop.ts";
import type { MetricsRecord } from "../../train/metrics.ts";
import { loadRunState } from "../../train/run_state.ts";
import type { Teacher } from "../../train/teacher.ts";
import { type Choice, chooseByGates, chooseUniform } from "../choose.ts";
import { unitGroups } from "../groups.ts";
import { unitMagnitudes } from "../magnitude.ts";
import { type Method, planMethod } from "../method.ts";
import { type PruneRecord, pruneRecord, type RecordedUnits } from "../record.ts";
import { encodePruneRecord } from "../record_file.ts";
import { compact } from "../surgery.ts";
import type { PhaseOptions, PipelineOptions, PipelineResult, Stage } from "./pipeline_options.ts";
import { denseTrainer, gatesOf, measureTime, pruningTrainer, teacherOf } from "./pipeline_parts.ts";
import type { RunModel, RunPhase } from "./run_store.ts";

/**
 * Prunes a model.
 *
 * @returns The results, or null if the signal came: the state of the run is on disk then.
 * @throws {RangeError} If a target cannot be met, or a loss is not finite.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineResult | null> {
  const { gpu, checkpoint, before, store, finetuning, method } = options;
  using teacher = teacherOf(options, gpu);
  const evaluateModel = (which: RunModel) => () => evaluateWritten(which, options);

  const evaluate = () => evaluateDense(options);
  const dense = await runAlone(options, "evaluate dense", "evaluating the model before pruning", () => {
    return options.evaluateDense?.(evaluate) ?? evaluate();
  });
  const record = dense && await runStage(options, "prune", choosing(method), () => prune(options, teacher));
  if (!record) return null;
  await removeState(options, "prune");

  const text = "evaluating the compact model";
  const pruned = await runAlone(options, "evaluate pruned", text, evaluateModel("compact"));
  const done = pruned && await runStage(
    options,
    "fine-tune",
    finetuning ? "fine-tuning the compact model" : null,
    () => makeResult(options, record, teacher),
  );
  if (!done) return null;
  await removeState(options, "finetune");

  const evaluations = [dense, pruned];
  if (finetuning) {
    const text = "evaluating the fine-tuned model";
    const finetuned = await runAlone(options, "evaluate fine-tuned", text, evaluateModel("result"));
    if (!finetuned) return null;
    evaluations.push(finetuned);
  }
  const result = await readCheckpoint(store.place("result"));
  const speed = await runAlone(options, "measure time", "measuring speed", () => {
    return measureTime([checkpoint, result], gpu, options);
  });
  if (!speed) return null;
  const units = unitsOf(checkpoint, record, before);
  return { config: result.config, evaluations, record, units, speed };
}

/** What the second stage does, for the progress. */
function choosing(method: Method): string {
  if (method === "none") return "training the model on, without pruning";
  return method === "uniform" ? "choosing units by magnitude" : `pruning by ${method}`;
}

/** Runs a stage unless it is done. Null after the signal. With several processes, all run it, and have what it wrote afterwards. */
async function runStage<T>(
  { journal, signal, onStage, comm = null }: PipelineOptions,
  stage: Stage,
  text: string | null,
  work: () => Promise<T | null>,
): Promise<T | null> {
  return await journal.runStage(stage, async () => {
    if (await isAborted(signal, comm)) return null;
    if (text !== null) onStage(stage, text);
    const result = await work();
    await comm?.barrier();
    return result;
  });
}

/** Runs a stage that rank 0 computes while others wait; they get an empty result, which only rank 0 reports. */
async function runAlone<T extends object>(
  options: PipelineOptions,
  stage: Stage,
  text: string,
  work: () => Promise<T>,
): Promise<T | null> {
  return await runStage(options, stage, text, () => {
    return isRoot(options.comm ?? null) ? work() : Promise.resolve({} as T);
  });
}

/** Prunes the model and keeps the compact one. Null after the signal. */
async function prune(options: PipelineOptions, teacher: Teacher | null): Promise<PruneRecord | null> {
  const { checkpoint, files, half, finetuning, store } = options;
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
  await store.write("compact", {
    checkpoint: compacted,
    files: compactFiles(files, record),
    dtype: half && !finetuning ? "F16" : "F32", // fine-tuning starts from it, and from f32
  });
  return record;
}

/** The small files of a compact model: those of the model before pruning, its record, and what transformers needs to load it. */
function compactFiles(before: ModelFiles, record: PruneRecord): ModelFiles {
  const files: Record<string, string> = { ...before, [RECORD_FILE]: encodePruneRecord(record) };
  if (files["vocab.json"] !== undefined) {
    files["tokenizer_config.json"] ??= json(tokenizerConfig(tokenizerIn(files, "vocab.json")));
  }
  return files;
}

/** Fine-tunes the compact model, if the run does, and keeps the result. Null after the signal. */
async function makeResult(
  options: PipelineOptions,
  record: PruneRecord,
  teacher: Teacher | null,
): Promise<true | null> {
  const { files, half, finetuning, store } = options;
  if (finetuning && await finetuneCompact(options, finetuning, teacher) === "signal") return null;
  await store.write("result", {
    checkpoint: await readCheckpoint(store.place(finetuning ? "finetuned" : "compact")),
    files: compactFiles(files, record),
    dtype: half ? "F16" : "F32",
  });
  return true;
}

/** Trains the gates, or ranks units by magnitude. Returns the trained weights and the units to keep; null after the signal. */
async function chooseUnits(
  options: PipelineOptions,
  teacher: Teacher | null,
): Promise<{ model: Checkpoint; choice: Choice } | null> {
  const { gpu, checkpoint, roundTo, pruning } = options;
  const { config } = checkpoint;
  const { constraints, kinds, chosenBy } = planMethod(config, options);
  if (chosenBy === null) {
    const model = await trainOn(options, teacher);
    return model && { model, choice: new Map() };
  }
  if (chosenBy === "magnitude") {
    const choice = chooseUniform(unitMagnitudes(checkpoint, kinds), { config, constraints, roundTo });
    return { model: checkpoint, choice };
  }
  const gates = gatesOf(options);
  using trainer = pruningTrainer(options, { gpu, gates, teacher });
  const { ended } = await train(trainer, await loopOptions(options, "prune", pruning));
  if (ended === "signal") return null;
  trainer.freeTraining(); // gradients and moments, before the weights are read
  const model = { ...checkpoint, tensors: await hostWeights(trainer.model, checkpoint.tensors.keys()) };
  return { model, choice: chooseByGates(gates.logAlpha, { config, constraints, roundTo }) };
}

/** Trains the model on, all units of which are kept. Returns the trained weights; null after the signal. */
async function trainOn(options: PipelineOptions, teacher: Teacher | null): Promise<Checkpoint | null> {
  const { gpu, checkpoint, pruning } = options;
  using trainer = denseTrainer(options, { gpu, teacher });
  const { ended } = await train(trainer, await loopOptions(options, "prune", pruning));
  if (ended === "signal") return null;
  return { ...checkpoint, tensors: await hostWeights(trainer.model, checkpoint.tensors.keys()) };
}

/** Fine-tunes the compact model and keeps the best weights. Returns why it ended. */
async function finetuneCompact(options: PipelineOptions, phase: PhaseOptions, teacher: Teacher | null) {
  const { gpu, store, regularization, gradCheckpoint, weightDecay } = options;
  const { ended } = await trainModel({
    ...await loopOptions(options, "finetune", phase),
    gpu,
    teacher,
    regularization,
    gradCheckpoint,
    weightDecay,
    checkpoint: await readCheckpoint(store.place("compact")),
    keep: (checkpoint) => store.write("finetuned", { checkpoint, files: {}, dtype: "F32" }),
  });
  return ended;
}

/** Options of the training loop in a phase, whose folder is made. */
async function loopOptions(
  { source, dev, tokenizer = null, signal, store, comm = null }: PipelineOptions,
  name: RunPhase,
  phase: PhaseOptions,
) {
  const onMetrics = (record: MetricsRecord) => store.addMetrics(name, record);
  const options = { ...phase, source, ...dev && { dev }, tokenizer, signal, onMetrics, comm };
  const { out, writes } = store;
  if (out === null) return { ...options, out };
  const folder = `${out}/run/${name}`;
  if (writes) await makeFolder(folder);
  await comm?.barrier();
  const resume = await loadRunState(`${folder}/state`, phase.steps);
  await comm?.barrier(); // no state is written before all have read
  return { ...options, out: writes ? folder : null, resume };
}

async function evaluateDense(options: PipelineOptions): Promise<Evaluation> {
  const { gpu, checkpoint, preprocessor, tokenizer = null, name, files } = options;
  using model = new SpeechModel(gpu, checkpoint);
  const parts = { model, preprocessor, tokenizer, notes: [], name, files, fileBytes: null };
  const loaded = new LoadedModel(parts, false);
  return await evaluateModel(loaded, options);
}

async function evaluateWritten(which: RunModel, options: PipelineOptions): Promise<Evaluation> {
  using loaded = await loadModel(options.store.place(which), { gpu: options.gpu });
  return await evaluateModel(loaded, options);
}

function evaluateModel(model: LoadedModel, { test, normalize }: PipelineOptions): Promise<Evaluation> {
  return evaluateUtterances(model, test(), { normalize });
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

/** Removes the saved states of a training whose result is kept. */
async function removeState({ store: { out, writes } }: PipelineOptions, name: RunPhase): Promise<void> {
  if (out !== null && writes) {
    await Deno.remove(`${out}/run/${name}/state`, { recursive: true }).catch(() => {});
  }
}
