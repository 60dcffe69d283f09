// A training from its options to its model.

import program from "../deno.json" with { type: "json" };
import type { Communicator } from "../comm/communicator.ts";
import { digestOf } from "../files/digest.ts";
import type { ModelFiles } from "../model/inference/model_files.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Checkpoint } from "../model/checkpoint/read.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { openFeed, type TrainFeed } from "./corpus_feed.ts";
import { intentTargets, transcriptTargets } from "./corpus_source.ts";
import { type Fingerprints, subsetFingerprint, vocabularyFingerprint } from "./fingerprints.ts";
import { type TrainingResult, trainModel } from "./loop.ts";
import type { ProgressSink } from "./progress.ts";
import { regularize } from "./regularize.ts";
import { openTrainCorpus, type RunSources, type TrainCorpus } from "./run_corpus.ts";
import type { FoundState } from "./run_state.ts";
import type { TrainSettings } from "./settings.ts";
import { type BaseModel, startAgain, startFresh, type TrainStart } from "./start.ts";

/** What a training is of. */
export interface TrainPlan {
  readonly task: "asr" | "slu";
  readonly sources: RunSources;
  readonly settings: TrainSettings;
  /** Returns the model to train, or an architecture for random weights; not called to resume. */
  readonly from: () => Promise<BaseModel | ModelConfig>;
  /** Vocabulary to use instead of the model's. */
  readonly vocab?: { readonly name: string; readonly files: ModelFiles } | undefined;
  /** Whether the head starts from random weights. */
  readonly newHead: boolean;
  /** Folder and saved state of a run that resumes; null for a new one. */
  readonly again: { readonly out: string; readonly state: FoundState } | null;
}

/** Model and utterances of a training. */
export interface TrainRun extends Disposable {
  readonly task: "asr" | "slu";
  readonly start: TrainStart;
  readonly feed: TrainFeed;
  /** Number of training utterances. */
  readonly utterances: number;
  /** Of what the run rests on. */
  readonly inputs: Fingerprints;
  readonly notes: readonly string[];
}

/**
 * Opens model and corpus.
 *
 * @param plan What the training is of.
 * @throws {Error} If a file is missing or wrong; one line.
 */
export async function openTrainRun(plan: TrainPlan): Promise<TrainRun> {
  const { task, sources, settings, again, from, vocab, newHead } = plan;
  const corpus = await openTrainCorpus(sources, task);
  const start = again ? await startAgain(again.out, again.state, settings) : await startFresh({
    from: await from(),
    task,
    vocab,
    newHead,
    seed: settings.seed,
    utterances: corpus.train.utterances,
    regularization: settings,
  });
  const { checkpoint, preprocessor, tokenizer } = start;
  const config = regularize(checkpoint.config, settings);
  const targetOf = tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label);
  const feed = await openFeed(corpus, { config, preprocessor, targetOf, settings });
  return {
    task,
    start,
    feed,
    utterances: corpus.train.utterances.length,
    inputs: await inputsOf(start, corpus),
    notes: [...start.notes, ...corpus.notes, ...feed.notes],
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
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

/** What a training needs besides model and utterances. */
export interface StartedTraining {
  readonly gpu: Gpu;
  /** Folder of the run; null for memory. */
  readonly out: string | null;
  readonly settings: TrainSettings;
  /** Saved state to resume from. */
  readonly resume: FoundState | null;
  /** The options that were given, saved with the state. */
  readonly saved: Readonly<Record<string, unknown>>;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
  /** Other processes that the training shares its batches with. */
  readonly comm?: Communicator | null;
  /** Keeps the best model so far; default: writes it to `out`. */
  readonly keep?: (best: Checkpoint) => Promise<void>;
}

/** Options of the optimizer and of what it trains. */
export function trainerOptions({ lr, weightDecay, freezeFeatureEncoder, gradCheckpoint }: TrainSettings) {
  return { lr, weightDecay, freezeFeatureEncoder, gradCheckpoint };
}

/**
 * Trains.
 *
 * @param run Model and utterances.
 * @param started Device, folder, options and state.
 * @throws {Error} As {@linkcode trainModel}.
 */
export async function runTraining(
  { start: { checkpoint, tokenizer }, feed, inputs }: TrainRun,
  { settings, saved, ...started }: StartedTraining,
): Promise<TrainingResult> {
  const { dropout, maskProb, seed, steps, gradAccumSteps, warmup, schedule, patience } = settings;
  const { maxGradNorm, evalEvery, saveEvery } = settings;
  return await trainModel({
    ...started,
    ...trainerOptions(settings),
    checkpoint,
    regularization: { dropout, maskProb },
    source: feed.source,
    ...feed.dev && { dev: feed.dev },
    tokenizer,
    seed,
    steps,
    gradAccumSteps,
    warmup,
    schedule,
    maxGradNorm,
    evalEvery,
    saveEvery,
    patience: patience || Infinity,
    info: { settings: saved, fingerprints: inputs },
  });
}
