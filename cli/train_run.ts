import { vocabularyOf } from "../model/decode/nested_vocabulary.ts";
import program from "../deno.json" with { type: "json" };
import { type Communicator, isRoot } from "../comm/communicator.ts";
import { digestOf } from "../files/digest.ts";
import { fileError, makeFolder, readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { type ModelConfig, parseConfig } from "../model/config.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { openFeed, type TrainFeed } from "../train/corpus_feed.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import {
  type Fingerprints,
  type Input,
  subsetFingerprint,
  vocabularyFingerprint,
} from "../train/fingerprints.ts";
import { type FinetuneResult, trainModel } from "../train/loop.ts";
import { measureMemory } from "../train/memory.ts";
import { TOKENIZER_FILES } from "../model/inference/model_files.ts";
import { openTrainCorpus, type TrainCorpus } from "../train/run_corpus.ts";
import { regularize } from "../train/regularize.ts";
import { CHANGEABLE, savedInputs, withChangedInputs } from "../train/resume.ts";
import type { FoundState } from "../train/run_state.ts";
import { scheduleOf } from "../train/schedule.ts";
import { type BaseModel, startAgain, startFresh, type TrainStart } from "../train/start.ts";
import { FinetuneTrainer } from "../train/trainer.ts";
import { openGpu } from "./backend.ts";
import { compareInputs } from "./changed_inputs.ts";
import { commandsCorpus } from "./commands_corpus.ts";
import { trainSources } from "./corpus_options.ts";
import { type Ended, interruptible, progressOf } from "./long_run.ts";
import { folderOf, readBaseModel } from "./model_option.ts";
import { onRoot, requireSameInputs, requireUtterances } from "./job.ts";
import { libraryNames, withDefaults } from "./options.ts";
import { checkResources, type MemoryReport, memoryReport, memoryText } from "./resources.ts";
import { log, note } from "./stderr.ts";
import { trainOptions, type TrainSettings, type TrainValues } from "./train_options.ts";
import { UserError } from "./user_error.ts";

/** Model and utterances of a run. */
export interface TrainRun extends Disposable {
  readonly task: "asr" | "slu";
  readonly start: TrainStart;
  readonly feed: TrainFeed;
  /** Fingerprints of what it rests on. */
  readonly inputs: Fingerprints;
  /** Number of training utterances. */
  readonly utterances: number;
}

/**
 * Opens model and corpus.
 *
 * @param values the run's options
 * @param state saved state to resume from; null for a new run
 * @throws {Error} a file is missing or wrong; one line
 */
export async function openRun(values: TrainValues, state: FoundState | null): Promise<TrainRun> {
  const task = values.task ?? await taskOf(values);
  const data = values.data ?? await commandsCorpus();
  const corpus = await openTrainCorpus(trainSources(data, values), task);
  const settings = libraryNames(values);
  const start = state ? await startAgain(values.out!, state, settings) : await startFresh({
    from: await startOf(values),
    task,
    vocab: values.vocab === undefined ? undefined : await vocabularyFiles(values.vocab, values.lang),
    newHead: values["new-head"],
    seed: values.seed,
    utterances: corpus.train.utterances,
    regularization: settings,
  });
  const { checkpoint, preprocessor, tokenizer } = start;
  const config = regularize(checkpoint.config, settings);
  const targetOf = tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label);
  const feed = await openFeed(corpus, { config, preprocessor, targetOf, settings });
  for (const text of [...start.notes, ...corpus.notes, ...feed.notes]) note(text);
  const inputs = await inputsOf(start, corpus);
  const utterances = corpus.train.utterances.length;
  return { task, start, feed, inputs, utterances, [Symbol.dispose]: () => feed[Symbol.dispose]() };
}

/** Fingerprints of a run. Its weights are in the state, so the model is its config and preprocessor, beside the state. */
async function inputsOf({ files }: TrainStart, { train, dev }: TrainCorpus): Promise<Fingerprints> {
  return {
    version: program.version,
    model: await digestOf(`${files["config.json"]}\n${files["preprocessor_config.json"]}`),
    vocabulary: await vocabularyFingerprint(files),
    train: await subsetFingerprint(train.utterances),
    dev: await subsetFingerprint(dev?.utterances ?? null),
  };
}

/** The model to train, or the architecture for random weights. */
async function startOf({ model, config, ...values }: TrainValues): Promise<BaseModel | ModelConfig> {
  if (model !== undefined) return await readBaseModel(await folderOf(model, values), model, values);
  const bytes = await readFileIfExists(config!);
  if (!bytes) throw new UserError(`Cannot train as a model needs its config: there is no file ${config}`);
  return parseConfig(new TextDecoder().decode(bytes), config);
}

/** The files of a vocabulary: `vocab.json` or another file, and those beside it that name its special tokens. */
async function vocabularyFiles(
  path: string,
  language: string | undefined,
): Promise<{ name: string; files: Record<string, string> }> {
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  const file = isFolder ? `${path}/vocab.json` : path;
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  const vocab = await Deno.readTextFile(file).catch((error) => {
    throw fileError("read", file, error);
  });
  const files: Record<string, string> = {};
  for (const name of TOKENIZER_FILES) {
    const bytes = await readFileIfExists(`${folder}/${name}`);
    if (bytes) files[name] = new TextDecoder().decode(bytes);
  }
  const tokenizerConfig = files["tokenizer_config.json"];
  const flat = vocabularyOf({ vocab, tokenizerConfig }, language, file);
  files["vocab.json"] = flat.vocab;
  if (flat.tokenizerConfig !== undefined) files["tokenizer_config.json"] = flat.tokenizerConfig;
  return { name: file, files };
}

/** Task of a model, by its head. */
async function taskOf({ model, ...values }: TrainValues): Promise<"asr" | "slu"> {
  if (model === undefined) return "asr";
  return (await readCheckpoint(await folderOf(model, values))).head === "classify" ? "slu" : "asr";
}

/** Estimates the memory of a run. */
export async function estimateMemory(
  gpu: Gpu,
  { start, feed }: TrainRun,
  values: TrainValues,
): Promise<MemoryReport> {
  const { checkpoint } = start;
  const regularized = { ...checkpoint, config: regularize(checkpoint.config, libraryNames(values)) };
  const make = (gpu: Gpu) => new FinetuneTrainer(new SpeechModel(gpu, regularized), trainerOptions(values));
  const { source } = feed;
  const { "grad-accum-steps": gradAccumSteps, steps: planned } = values;
  return memoryReport(gpu, await measureMemory(gpu, make, { source, gradAccumSteps, planned }));
}

function trainerOptions(values: TrainValues) {
  return {
    lr: values.lr,
    weightDecay: values["weight-decay"],
    freezeFeatureEncoder: values["freeze-feature-encoder"],
    gradCheckpoint: values["grad-checkpoint"],
  };
}

/** The state to resume from, with the accepted changes of what the run rests on. */
function onInputs(
  out: string,
  state: FoundState,
  inputs: Fingerprints,
  accepted: readonly Input[],
): FoundState {
  const changed = compareInputs(out, savedInputs(state), inputs, {
    accepted,
    changeable: CHANGEABLE,
    effect: (changed) =>
      [
        ...changed.includes("train") ? ["training resumes at the start of an epoch"] : [],
        ...changed.includes("dev") ? ["earlier evaluations do not count as the best"] : [],
        ...changed.includes("version") ? ["training resumes from its state"] : [],
      ].join(", "),
  });
  return withChangedInputs(state, changed);
}

/**
 * Trains.
 *
 * @param out the run's folder
 * @param settings the options that were given; they are saved in the run's state
 * @param from saved state to resume from, null for a new run; the inputs that may have changed since; and the processes that train
 *   together, null for this one alone
 * @returns the result, and the exit status of an interruption
 */
export async function train(
  out: string,
  settings: TrainSettings,
  { state, accepted, comm }: {
    state: FoundState | null;
    accepted: readonly Input[];
    comm: Communicator | null;
  },
): Promise<Ended<FinetuneResult>> {
  const values = withDefaults(trainOptions, settings);
  const { seed, steps, warmup, schedule, patience } = values;
  const regularization = { dropout: values.dropout, maskProb: values["mask-prob"] };
  scheduleOf({ kind: schedule, steps, warmup }); // throws where they do not fit together
  using run = await openRun(values, state);
  const { task, start: { checkpoint, tokenizer }, feed, inputs } = run;
  await requireSameInputs(comm, { ...inputs, options: settings });
  requireUtterances(comm, run.utterances);
  const resume = state && onInputs(out, state, inputs, accepted);
  const gpu = await openGpu({}, true);
  try {
    const memory = await estimateMemory(gpu, run, values);
    log(memoryText(memory));
    await checkResources({ command: "train", out, gpu, resumed: state !== null }, memory);
    await onRoot(comm, async () => {
      await makeFolder(`${out}/state`); // before other files: see EARLY_FILES
      for (const [name, text] of state ? [] : Object.entries(run.start.files)) {
        await writeFileAtomic(`${out}/${name}`, [new TextEncoder().encode(text)]);
      }
    });
    return await interruptible({ command: "train", out }, (signal) =>
      trainModel({
        gpu,
        checkpoint,
        regularization,
        source: feed.source,
        ...feed.dev && { dev: feed.dev },
        tokenizer,
        out: isRoot(comm) ? out : null,
        comm,
        seed,
        steps,
        gradAccumSteps: values["grad-accum-steps"],
        ...trainerOptions(values),
        warmup,
        schedule,
        maxGradNorm: values["max-grad-norm"],
        evalEvery: values["eval-every"],
        saveEvery: values["save-every"],
        patience: patience || Infinity,
        resume,
        info: { settings: { ...settings, task }, fingerprints: inputs },
        progress: progressOf(steps),
        signal,
      }));
  } finally {
    gpu.destroy();
  }
}
