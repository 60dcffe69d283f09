// Opens what a run needs: model, utterances, and the phases of the pipeline.

import { outOfVocabulary } from "../../data/corpus/out_of_vocabulary.ts";
import { placeName } from "../../data/corpus/utterance.ts";
import { normalizeText } from "../../data/corpus/vocabulary.ts";
import program from "../../deno.json" with { type: "json" };
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "../../model/inference/preprocess.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { openFeed, requireReferences, type TrainFeed } from "../../train/corpus_feed.ts";
import { intentTargets, transcriptTargets } from "../../train/corpus_source.ts";
import { readUtterances } from "../../train/labelled_utterances.ts";
import { RECORD_FILE, tokenizerIn } from "../../model/inference/model_files.ts";
import type { ProgressSink } from "../../train/progress.ts";
import { withMaskEmbedding } from "../../train/prepare.ts";
import { regularize } from "../../train/regularize.ts";
import { openPruneCorpus, type PruneCorpus, type PruneSources } from "../../train/run_corpus.ts";
import type { BaseModel } from "../../train/start.ts";
import type { PruneRecord } from "../record.ts";
import { parsePruneRecord } from "../record_file.ts";
import type { PipelineOptions, PlannedRun, Stage } from "./pipeline_options.ts";
import type { RunStore } from "./run_store.ts";
import type { PruneSettings } from "./settings.ts";

/** Model and utterances of a run. */
export interface PruneRun extends Disposable {
  readonly task: "asr" | "slu";
  /** The model as it was read. */
  readonly base: BaseModel;
  /** The model with all weights that the run trains. */
  readonly model: BaseModel;
  /** Record of an earlier pruning; null where there is none. */
  readonly before: PruneRecord | null;
  readonly preprocessor: PreprocessorConfig;
  readonly tokenizer: CtcTokenizer | null;
  readonly corpus: PruneCorpus;
  readonly feed: TrainFeed;
  readonly notes: readonly string[];
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
    `Cannot prune ${name} for ${chosen} as it must have been fine-tuned for that: ${has} (fine-tune it first)`,
  );
}

/**
 * Opens model and corpus.
 *
 * @param base The model.
 * @param task Its task.
 * @param sources Where the utterances come from.
 * @param settings Options of the run.
 * @throws {Error} If a file is missing or wrong; one line.
 */
export async function openPruneRun(
  base: BaseModel,
  task: "asr" | "slu",
  sources: PruneSources,
  settings: PruneSettings,
): Promise<PruneRun> {
  const { name, files } = base;
  const config = regularize(base.checkpoint.config, settings);
  const { tensors } = withMaskEmbedding({ ...base.checkpoint, config }, settings.seed);
  const model = { ...base, checkpoint: { ...base.checkpoint, tensors } };
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    `${name}/preprocessor_config.json`,
  );
  const tokenizer = task === "asr" ? vocabularyOf(model) : null;
  const corpus = await openPruneCorpus(sources, task);
  const { train: { utterances: train }, test: { utterances: test } } = corpus;
  const targetOf = tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label);
  if (tokenizer) requireReferences("test", test, targetOf);
  const feed = await openFeed(corpus, { config, preprocessor, targetOf, settings });
  const notes = [...base.checkpoint.notes, ...corpus.notes, ...feed.notes];
  if (tokenizer) notes.push(...outOfVocabulary(tokenizer, [...train, ...test]));
  const trained = new Set(train.map(placeName));
  if (test.every((utterance) => trained.has(placeName(utterance)))) {
    notes.push("the test subset is part of the training subset: its scores are those of known utterances");
  }
  const record = files[RECORD_FILE];
  return {
    task,
    base,
    model,
    before: record === undefined ? null : parsePruneRecord(record, `${name}/${RECORD_FILE}`),
    preprocessor,
    tokenizer,
    corpus,
    feed,
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
  readonly store: RunStore;
  readonly settings: PruneSettings;
  /** Makes what receives the progress of a phase. */
  readonly progressOf: (steps: number, stage: Stage) => ProgressSink;
  readonly onStage: PipelineOptions["onStage"];
}

/** All options of the pipeline: both training phases, and the stages around them. */
export function planRun(run: PruneRun, { gpu, store, settings, progressOf, onStage }: RunTools): PlannedRun {
  const { feed: { source, dev }, corpus, model, before, preprocessor, tokenizer } = run;
  const { targetConv, targetTransformer } = settings;
  return {
    checkpoint: model.checkpoint,
    before,
    files: model.files,
    preprocessor,
    tokenizer,
    gpu,
    store,
    name: model.name,
    version: program.version,
    source,
    ...dev && { dev },
    test: () => readUtterances(corpus.test.utterances),
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
    regularization: { dropout: settings.dropout, maskProb: settings.maskProb },
    gradCheckpoint: settings.gradCheckpoint,
    weightDecay: settings.weightDecay,
    ...phases(settings, progressOf),
    onStage,
  };
}

/** The two training phases. */
function phases(
  settings: PruneSettings,
  progressOf: RunTools["progressOf"],
): Pick<PlannedRun, "pruning" | "finetuning"> {
  const { gradAccumSteps, maxGradNorm, saveEvery, seed } = settings;
  const phase = (stage: Stage, steps: number, lr: number) => ({
    steps,
    lr,
    warmup: Math.round(steps / 20),
    schedule: "linear" as const,
    seed,
    gradAccumSteps,
    maxGradNorm,
    evalEvery: settings.evalEvery ?? Math.max(1, Math.round(steps / 4)),
    saveEvery,
    progress: progressOf(steps, stage),
  });
  const { finetuneSteps, finetuneLr } = settings;
  return {
    pruning: {
      ...phase("prune", settings.steps, settings.lr),
      schedule: "constant",
      gateRate: settings.gateLr,
      lambdaRate: settings.lambdaLr,
      targetWarmup: settings.warmup,
      ramp: settings.ramp,
    },
    finetuning: finetuneSteps === 0 ? null : phase("fine-tune", finetuneSteps, finetuneLr),
  };
}
