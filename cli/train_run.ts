import { makeFolder } from "../files/atomic_file.ts";
import { writeFileAtomic } from "../files/atomic_file.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import { finetune, type FinetuneResult } from "../train/loop.ts";
import { measureMemory } from "../train/memory.ts";
import type { FoundState } from "../train/run_state.ts";
import { scheduleOf } from "../train/schedule.ts";
import { FinetuneTrainer } from "../train/trainer.ts";
import { openGpu } from "./backend.ts";
import {
  type Ended,
  interruptible,
  type MemoryReport,
  memoryReport,
  memoryText,
  progressOf,
} from "./long_run.ts";
import { folderOf } from "./model_option.ts";
import { withDefaults } from "./options.ts";
import { log, note } from "./stderr.ts";
import { openFeed, openUtterances, type TrainFeed } from "./train_corpus.ts";
import { trainOptions, type TrainSettings, type TrainValues } from "./train_options.ts";
import { startAgain, startFresh, type TrainStart } from "./train_start.ts";

/** Model and utterances of a run. */
export interface TrainRun extends Disposable {
  readonly task: "asr" | "slu";
  readonly start: TrainStart;
  readonly feed: TrainFeed;
}

/**
 * Opens model and corpus.
 *
 * @param values the run's options
 * @param state saved state to resume from; null for a new run
 * @throws {Error} a file is missing or wrong; one line
 */
export async function openRun(values: TrainValues, state: FoundState | null): Promise<TrainRun> {
  const { model, revision, config, seed } = values;
  const task = values.task ?? await taskOf(model, revision);
  const utterances = await openUtterances(values.data, task, values.subset, values["dev-subset"]);
  const start = state ? await startAgain(values.out!, state) : await startFresh({
    ...model !== undefined && { model },
    revision,
    ...config !== undefined && { config },
    task,
    vocab: values.vocab,
    newHead: values["new-head"],
    seed,
    utterances: utterances.train,
    regularization: { dropout: values.dropout, maskProb: values["mask-prob"] },
  });
  const { checkpoint, preprocessor, tokenizer } = start;
  const feed = await openFeed(utterances, {
    config: checkpoint.config,
    preprocessor,
    targetOf: tokenizer ? transcriptTargets(tokenizer) : intentTargets(checkpoint.config.id2label),
    seed,
    seconds: values["batch-seconds"] / values["grad-accum-steps"],
    speedPerturbation: values["speed-perturbation"],
    noise: values.noise,
    join: values.join,
  });
  for (const text of [...start.notes, ...utterances.notes, ...feed.notes]) note(text);
  return { task, start, feed, [Symbol.dispose]: () => feed[Symbol.dispose]() };
}

/** Task of a model, by its head. */
async function taskOf(model: string | undefined, revision: string | undefined): Promise<"asr" | "slu"> {
  if (model === undefined) return "asr";
  return (await readCheckpoint(await folderOf(model, revision))).head === "classify" ? "slu" : "asr";
}

/** Estimates the memory of a run. */
export async function estimateMemory(
  gpu: Gpu,
  { start, feed }: TrainRun,
  values: TrainValues,
): Promise<MemoryReport> {
  const make = (gpu: Gpu) =>
    new FinetuneTrainer(new SpeechModel(gpu, start.checkpoint), trainerOptions(values));
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

/**
 * Trains.
 *
 * @param out the run's folder
 * @param settings the options that were given; they are saved in the run's state
 * @param state saved state to resume from; null for a new run
 * @returns the result, and the exit status of an interruption
 */
export async function train(
  out: string,
  settings: TrainSettings,
  state: FoundState | null,
): Promise<Ended<FinetuneResult>> {
  const values = withDefaults(trainOptions, settings);
  const { seed, steps, warmup, schedule, patience } = values;
  scheduleOf({ kind: schedule, steps, warmup }); // throws where they do not fit together
  using run = await openRun(values, state);
  const { task, start: { checkpoint, tokenizer }, feed } = run;
  const gpu = await openGpu({}, true);
  try {
    log(memoryText(await estimateMemory(gpu, run, values)));
    await makeFolder(out);
    for (const [name, text] of Object.entries(run.start.files)) {
      await writeFileAtomic(`${out}/${name}`, [new TextEncoder().encode(text)]);
    }
    return await interruptible({ command: "train", out }, (signal) =>
      finetune({
        gpu,
        checkpoint,
        source: feed.source,
        ...feed.dev && { dev: feed.dev },
        tokenizer,
        out,
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
        resume: state,
        info: { settings: { ...settings, task } },
        progress: progressOf(steps),
        signal,
      }));
  } finally {
    gpu.destroy();
  }
}
