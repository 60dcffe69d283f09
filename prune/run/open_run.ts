// Opens what a run needs: model, utterances, and the phases of the pipeline.

import { outOfVocabulary } from "../../data/corpus/out_of_vocabulary.ts";
import type { TimedUtterance } from "../../data/corpus/durations.ts";
import { placeName } from "../../data/corpus/utterance.ts";
import { normalizeText } from "../../data/corpus/vocabulary.ts";
import program from "../../deno.json" with { type: "json" };
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "../../model/inference/preprocess.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { openFeed, openTest, openUtterances, type Reading, type TrainFeed } from "../../train/corpus_feed.ts";
import { intentTargets, transcriptTargets } from "../../train/corpus_source.ts";
import { readUtterances } from "../../train/labelled_utterances.ts";
import { RECORD_FILE, tokenizerIn } from "../../train/model_files.ts";
import type { Progress } from "../../train/progress.ts";
import { withMaskEmbedding } from "../../train/prepare.ts";
import { regularize } from "../../train/regularize.ts";
import type { BaseModel } from "../../train/start.ts";
import type { PruneRecord } from "../record.ts";
import { parsePruneRecord } from "../record_file.ts";
import type { PlannedRun } from "./pipeline_options.ts";
import type { PruneSettings } from "./settings.ts";

/** Model and utterances of a run. */
export interface PruneRun extends Disposable {
  readonly task: "asr" | "slu";
  /** The model, with the regularisation of the run in its config. */
  readonly model: BaseModel;
  /** Record of an earlier pruning; null where there is none. */
  readonly before: PruneRecord | null;
  readonly preprocessor: PreprocessorConfig;
  readonly tokenizer: CtcTokenizer | null;
  /** Folder of the corpus. */
  readonly data: string;
  readonly feed: TrainFeed;
  readonly train: readonly TimedUtterance[];
  readonly dev: readonly TimedUtterance[] | null;
  readonly test: { readonly subset: string; readonly utterances: readonly TimedUtterance[] };
  readonly notes: readonly string[];
}

/** A corpus and its subsets for a run. */
export interface RunCorpus extends Reading {
  /** Folder of the corpus, or a manifest. */
  readonly data: string;
  /** Training subset. */
  readonly subset: string;
  /** Subset for evaluations during training, or `none`; default: `dev`, if there is one. */
  readonly devSubset?: string | undefined;
  /** Subset to report on; default: `test`, or `dev` if there is no test. */
  readonly testSubset?: string | undefined;
}

/**
 * Task of a model.
 *
 * @param base The model.
 * @param task Task that is requested; default: by the model's head.
 * @throws {TypeError} If the model lacks the head for it.
 */
export function taskOf({ name, checkpoint: { head } }: BaseModel, task?: "asr" | "slu"): "asr" | "slu" {
  const chosen = task ?? (head === "classify" ? "slu" : "asr");
  if (head === (chosen === "slu" ? "classify" : "ctc")) return chosen;
  const has = head === "none" ? "it has no head" : `its head is ${head}`;
  throw new TypeError(
    `Cannot prune ${name} for ${chosen} as it must have been fine-tuned for that: ${has} (see espalier train --help)`,
  );
}

/**
 * Opens model and corpus.
 *
 * @param base The model.
 * @param task Its task.
 * @param corpus Utterances.
 * @param settings Options of the run.
 * @throws {Error} If a file is missing or wrong; one line.
 */
export async function openPruneRun(
  base: BaseModel,
  task: "asr" | "slu",
  { data, subset, devSubset, testSubset, limit, strict }: RunCorpus,
  settings: PruneSettings,
): Promise<PruneRun> {
  const config = regularize(base.checkpoint.config, settings);
  const model = { ...base, checkpoint: withMaskEmbedding({ ...base.checkpoint, config }, settings.seed) };
  const { name, files } = model;
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    `${name}/preprocessor_config.json`,
  );
  const tokenizer = task === "asr" ? vocabularyOf(model) : null;
  const corpus = await openUtterances(data, task, subset, devSubset, { limit, strict });
  const test = await openTest(data, task, testSubset, { limit, strict });
  const targetOf = tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label);
  const feed = await openFeed(corpus, { config, preprocessor, targetOf, settings });
  const notes = [...base.checkpoint.notes, ...corpus.notes, ...test.notes, ...feed.notes];
  if (tokenizer) notes.push(...outOfVocabulary(tokenizer, [...corpus.train, ...test.utterances]));
  const trained = new Set(corpus.train.map(placeName));
  if (test.utterances.every((utterance) => trained.has(placeName(utterance)))) {
    notes.push("the test subset is part of the training subset: choose another one with --test-subset");
  }
  const record = files[RECORD_FILE];
  return {
    task,
    model,
    before: record === undefined ? null : parsePruneRecord(record, `${name}/${RECORD_FILE}`),
    preprocessor,
    tokenizer,
    data,
    feed,
    train: corpus.train,
    dev: corpus.dev,
    test,
    notes,
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}

function vocabularyOf({ name, files, checkpoint: { config } }: BaseModel): CtcTokenizer {
  if (files["vocab.json"] === undefined) {
    throw new TypeError(`Cannot prune ${name} as a CTC head needs a vocabulary: it has no vocab.json`);
  }
  const tokenizer = tokenizerIn(files, `${name}/vocab.json`).trimmed(config.vocab_size);
  tokenizer.checkSize(config.vocab_size, `${name}/vocab.json`);
  return tokenizer;
}

/** What a run needs besides its model and utterances. */
export interface RunTools {
  readonly gpu: Gpu;
  /** Output folder. */
  readonly out: string;
  readonly settings: PruneSettings;
  /** Makes the progress line of a phase. */
  readonly progressOf: (steps: number) => Progress;
  /** Called with a line of text when a stage begins. */
  readonly log: (line: string) => void;
}

/** All options of the pipeline: both training phases, and the stages around them. */
export function planRun(run: PruneRun, { gpu, out, settings, progressOf, log }: RunTools): PlannedRun {
  const { feed: { source, dev }, test, model, before, preprocessor, tokenizer } = run;
  const { targetConv, targetTransformer } = settings;
  return {
    checkpoint: model.checkpoint,
    before,
    files: model.files,
    preprocessor,
    tokenizer,
    gpu,
    out,
    name: model.name,
    version: program.version,
    source,
    ...dev && { dev },
    test: () => readUtterances(test.utterances),
    normalize: (text) => normalizeText(text),
    method: settings.method,
    target: settings.target,
    ...targetConv !== undefined && { targetConv },
    ...targetTransformer !== undefined && { targetTransformer },
    kinds: settings.kinds,
    seconds: settings.seconds,
    roundTo: settings.roundTo,
    half: settings.half,
    distill: settings.distill,
    gradCheckpoint: settings.gradCheckpoint,
    weightDecay: settings.weightDecay,
    ...phases(settings, progressOf),
    log,
  };
}

/** The two training phases. */
function phases(
  settings: PruneSettings,
  progressOf: RunTools["progressOf"],
): Pick<PlannedRun, "pruning" | "finetuning"> {
  const { gradAccumSteps, maxGradNorm, saveEvery, seed } = settings;
  const phase = (steps: number, lr: number) => ({
    steps,
    lr,
    warmup: Math.round(steps / 20),
    schedule: "linear" as const,
    seed,
    gradAccumSteps,
    maxGradNorm,
    evalEvery: settings.evalEvery ?? Math.max(1, Math.round(steps / 4)),
    saveEvery,
    progress: progressOf(steps),
  });
  const { finetuneSteps, finetuneLr } = settings;
  return {
    pruning: {
      ...phase(settings.steps, settings.lr),
      schedule: "constant",
      gateRate: settings.gateLr,
      lambdaRate: settings.lambdaLr,
      targetWarmup: settings.warmup,
      ramp: settings.ramp,
    },
    finetuning: finetuneSteps === 0 ? null : phase(finetuneSteps, finetuneLr),
  };
}
