/**
 * What `prune` needs, made from its options: model, utterances, and the phases of the run.
 *
 * @module
 */
import { type TimedUtterance, withSeconds } from "../data/corpus/durations.ts";
import { normalizeText, readVocabulary } from "../data/corpus/vocabulary.ts";
import { type Checkpoint, readCheckpoint } from "../model/checkpoint/read.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "../model/inference/preprocess.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { parseKinds } from "../prune/groups.ts";
import { readRecord } from "../prune/run/model_folder.ts";
import type { PlannedRun } from "../prune/run/pipeline_options.ts";
import type { PruneRecord } from "../prune/record.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import { regularize } from "../train/regularize.ts";
import program from "../deno.json" with { type: "json" };

import { progressOf } from "./long_run.ts";
import { atRevision, folderOf } from "./model_option.ts";
import type { PruneValues } from "./prune_options.ts";
import { log } from "./stderr.ts";
import { outOfVocabulary } from "./out_of_vocabulary.ts";
import { openFeed, openTest, openUtterances, type TrainFeed } from "./train_corpus.ts";
import { modelFiles } from "./train_start.ts";
import { UserError } from "./user_error.ts";
import { readUtterances } from "./utterances.ts";

/** Model and utterances of a run. */
export interface PruneRun extends Disposable {
  readonly task: "asr" | "slu";
  /** Folder of the model. */
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  /** Record of an earlier pruning; null where there is none. */
  readonly before: PruneRecord | null;
  /** Other files of the model, as text by name. */
  readonly files: Readonly<Record<string, string>>;
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

/**
 * Opens model and corpus.
 *
 * @param values the run's options
 * @throws {Error} the model lacks the head for the task, or a file is missing or wrong; one line
 */
export async function openPruneRun(values: PruneValues): Promise<PruneRun> {
  const { folder, checkpoint, task } = await openDenseModel(values);
  const { config } = checkpoint;
  const files = await modelFiles(folder, config);
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    `${folder}/preprocessor_config.json`,
  );
  const tokenizer = task === "asr" ? (await readVocabulary(folder)).trimmed(config.vocab_size) : null;
  tokenizer?.checkSize(config.vocab_size, `${folder}/vocab.json`);
  const corpus = await openUtterances(values.data, task, values.subset, values["dev-subset"]);
  const test = await openTest(corpus.folder, task, values["test-subset"]);
  const feed = await openFeed(corpus, {
    config,
    preprocessor,
    targetOf: tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label),
    seed: values.seed,
    seconds: values["batch-seconds"] / values["grad-accum-steps"],
    speedPerturbation: values["speed-perturbation"],
    noise: values.noise,
    join: values.join,
  });
  const notes = [...checkpoint.notes, ...corpus.notes, ...feed.notes];
  if (tokenizer) notes.push(...outOfVocabulary(tokenizer, [...corpus.train, ...test.utterances]));
  const trained = new Set(corpus.train.map(({ audio }) => audio));
  if (test.utterances.every(({ audio }) => trained.has(audio))) {
    notes.push("the test subset is part of the training subset: choose another one with --test-subset");
  }
  return {
    task,
    folder,
    checkpoint,
    before: await readRecord(folder),
    files,
    preprocessor,
    tokenizer,
    data: corpus.folder,
    feed,
    train: await withSeconds(corpus.train),
    dev: corpus.dev && await withSeconds(corpus.dev),
    test,
    notes,
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}

/** Reads the model to prune, with the regularisation of the run in its config. */
async function openDenseModel(
  values: PruneValues,
): Promise<Pick<PruneRun, "folder" | "checkpoint" | "task">> {
  const model = values.model!;
  const folder = await folderOf(model, values.revision);
  const read = await readCheckpoint(folder);
  const config = regularize(read.config, { dropout: values.dropout, maskProb: values["mask-prob"] });
  const checkpoint = { ...read, config };
  const { head } = checkpoint;
  const task = values.task ?? (head === "classify" ? "slu" : "asr");
  if (head !== (task === "slu" ? "classify" : "ctc")) {
    const has = head === "none" ? "it has no head" : `its head is ${head}`;
    throw new UserError(
      `Cannot prune ${model} for ${task} as it must have been fine-tuned for that: ${has} (see espalier train --help)`,
    );
  }
  return { folder, checkpoint, task };
}

/** What a run needs besides its model and utterances. */
export interface RunTools {
  readonly gpu: Gpu;
  /** Output folder. */
  readonly out: string;
  readonly values: PruneValues;
}

/** Refuses options that contradict each other or would have no effect. */
function checkOptions({ method, steps, warmup, ...values }: PruneValues): void {
  if (warmup > steps) {
    throw new UserError(`Cannot prune as --warmup must be at most the ${steps} steps: ${warmup}`);
  }
  for (const name of ["target-conv", "target-transformer"] as const) {
    if (method === "sep-size" || values[name] === undefined) continue;
    throw new UserError(`--${name} requires --method sep-size: the method is ${method}`);
  }
}

/**
 * All options of the pipeline: both training phases, and the stages around them.
 *
 * @param run model and utterances
 * @param tools device, folder and options
 * @throws {UserError} options contradict each other
 */
export function pipelineOptions(run: PruneRun, { gpu, out, values }: RunTools): PlannedRun {
  checkOptions(values);
  const { "target-conv": targetConv, "target-transformer": targetTransformer } = values;
  const { feed: { source, dev }, test, checkpoint, before, files, preprocessor, tokenizer } = run;
  return {
    checkpoint,
    before,
    files,
    preprocessor,
    tokenizer,
    gpu,
    out,
    name: atRevision(values.model!, values.revision),
    version: program.version,
    source,
    ...dev && { dev },
    test: () => readUtterances(test.utterances),
    normalize: (text) => normalizeText(text),
    method: values.method,
    target: values.target,
    ...targetConv !== undefined && { targetConv },
    ...targetTransformer !== undefined && { targetTransformer },
    kinds: parseKinds(values.prune),
    seconds: values.seconds,
    roundTo: values["round-to"],
    half: values.half,
    distill: values.distill,
    gradCheckpoint: values["grad-checkpoint"],
    weightDecay: values["weight-decay"],
    ...phases(values),
    log,
  };
}

/** The two training phases. */
function phases(values: PruneValues): Pick<PlannedRun, "pruning" | "finetuning"> {
  const phase = (steps: number, lr: number) => ({
    steps,
    lr,
    warmup: Math.round(steps / 20),
    schedule: "linear" as const,
    seed: values.seed,
    gradAccumSteps: values["grad-accum-steps"],
    maxGradNorm: values["max-grad-norm"],
    evalEvery: values["eval-every"] ?? Math.max(1, Math.round(steps / 4)),
    saveEvery: values["save-every"],
    progress: progressOf(steps),
  });
  const { "finetune-steps": finetuneSteps, "finetune-lr": finetuneLr } = values;
  return {
    pruning: {
      ...phase(values.steps, values.lr),
      schedule: "constant",
      gateRate: values["gate-lr"],
      lambdaRate: values["lambda-lr"],
      targetWarmup: values.warmup,
      ramp: values.ramp,
    },
    finetuning: finetuneSteps === 0 ? null : phase(finetuneSteps, finetuneLr),
  };
}
