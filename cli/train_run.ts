import { vocabularyOf } from "../model/decode/nested_vocabulary.ts";
import { type Communicator, isRoot } from "../comm/communicator.ts";
import { fileError, makeFolder, readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { type ModelConfig, parseConfig } from "../model/config.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { Fingerprints, Input } from "../train/fingerprints.ts";
import type { TrainingResult } from "../train/loop.ts";
import { measureMemory } from "../train/memory.ts";
import { TOKENIZER_FILES } from "../model/inference/model_files.ts";
import { openTrainRun, runTraining, trainerOptions, type TrainRun } from "../train/run.ts";
import { regularize } from "../train/regularize.ts";
import { CHANGEABLE, savedInputs, withChangedInputs } from "../train/resume.ts";
import type { FoundState } from "../train/run_state.ts";
import { scheduleOf } from "../train/schedule.ts";
import type { BaseModel } from "../train/start.ts";
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

/**
 * Opens model and corpus.
 *
 * @param values the run's options
 * @param state saved state to resume from; null for a new run
 * @throws {Error} a file is missing or wrong; one line
 */
export async function openRun(values: TrainValues, state: FoundState | null): Promise<TrainRun> {
  const { vocab, lang } = values;
  const run = await openTrainRun({
    task: values.task ?? await taskOf(values),
    sources: trainSources(values.data ?? await commandsCorpus(), values),
    settings: libraryNames(values),
    from: () => startOf(values),
    vocab: vocab === undefined ? undefined : await vocabularyFiles(vocab, lang),
    newHead: values["new-head"],
    again: state && { out: values.out!, state },
  });
  for (const text of run.notes) note(text);
  return run;
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
  const make = (gpu: Gpu) =>
    new FinetuneTrainer(new SpeechModel(gpu, regularized), trainerOptions(libraryNames(values)));
  const { source } = feed;
  const { "grad-accum-steps": gradAccumSteps, steps: planned } = values;
  return memoryReport(gpu, await measureMemory(gpu, make, { source, gradAccumSteps, planned }));
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
): Promise<Ended<TrainingResult>> {
  const values = withDefaults(trainOptions, settings);
  const runSettings = libraryNames(values);
  const { steps, warmup, schedule } = values;
  scheduleOf({ kind: schedule, steps, warmup }); // throws where they do not fit together
  using run = await openRun(values, state);
  await requireSameInputs(comm, { ...run.inputs, options: settings });
  requireUtterances(comm, run.utterances);
  const resume = state && onInputs(out, state, run.inputs, accepted);
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
    const saved = { ...settings, task: run.task };
    const folder = isRoot(comm) ? out : null;
    const tools = {
      gpu,
      out: folder,
      comm,
      settings: runSettings,
      resume,
      saved,
      progress: progressOf(steps),
    };
    return await interruptible({ command: "train", out }, (signal) => {
      return runTraining(run, { ...tools, signal });
    });
  } finally {
    gpu.destroy();
  }
}
