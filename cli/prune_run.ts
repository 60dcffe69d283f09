/**
 * What `prune` needs, made from its options: model, clips, and the phases of the run.
 *
 * @module
 */
import { type TimedUtterance, withSeconds } from "../data/corpus/durations.ts";
import { normalizeText, readVocabulary } from "../data/corpus/vocabulary.ts";
import { type Checkpoint, readCheckpoint } from "../model/checkpoint/read.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "../model/inference/preprocess.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { parseKinds } from "../prune/groups.ts";
import { readRecord } from "../prune/run/pipeline.ts";
import type { PlannedRun } from "../prune/run/pipeline_options.ts";
import type { PruneRecord } from "../prune/record.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import { regularize } from "../train/regularize.ts";
import program from "../deno.json" with { type: "json" };
import { clipsOf } from "./clips.ts";
import { progressOf } from "./long_run.ts";
import { folderOf } from "./model_option.ts";
import type { PruneSettings } from "./prune_options.ts";
import { outOfVocabulary } from "./out_of_vocabulary.ts";
import { openFeed, openTest, openUtterances, type TrainFeed } from "./train_corpus.ts";
import { settingsOf } from "./train_start.ts";
import { UserError } from "./user_error.ts";

/** Model and clips of a run. */
export interface PruneRun extends Disposable {
  readonly task: "asr" | "slu";
  /** Folder of the model. */
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  readonly before: PruneRecord | null;
  readonly files: Readonly<Record<string, string>>;
  readonly preprocessor: PreprocessorConfig;
  readonly tokenizer: CtcTokenizer | null;
  /** Folder of the corpus. */
  readonly data: string;
  readonly feed: TrainFeed;
  readonly train: readonly TimedUtterance[];
  readonly dev: readonly TimedUtterance[] | null;
  readonly test: { readonly subset: string; readonly clips: readonly TimedUtterance[] };
  readonly notes: readonly string[];
}

/**
 * Opens model and corpus.
 *
 * @param settings the run's options
 * @throws {Error} the model has not the head for the task, or a file is missing or wrong; one line
 */
export async function openPruneRun(settings: PruneSettings): Promise<PruneRun> {
  const model = settings.model!;
  const folder = await folderOf(model);
  const found = await readCheckpoint(folder);
  const config = regularize(found.config, { dropout: settings.dropout, maskProb: settings["mask-prob"] });
  const checkpoint = { ...found, config };
  const { head } = checkpoint;
  const task = settings.task ?? (head === "classify" ? "slu" : "asr");
  const needed = task === "slu" ? "classify" : "ctc";
  if (head !== needed) {
    const has = head === "none" ? "it has no head" : `its head is ${head}`;
    throw new UserError(
      `Cannot prune ${model} for ${task} as it must have been fine-tuned for that: ${has} (see train --help)`,
    );
  }
  const files = await settingsOf(folder, config);
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    `${folder}/preprocessor_config.json`,
  );
  const tokenizer = task === "asr" ? await readVocabulary(folder) : null;
  tokenizer?.checkSize(config.vocab_size, `${folder}/vocab.json`);
  const clips = await openUtterances(settings.data, task, settings.subset ?? "train", settings["dev-subset"]);
  const test = await openTest(clips.folder, task, settings["test-subset"]);
  const feed = await openFeed(clips, {
    config,
    preprocessor,
    targetOf: tokenizer ? transcriptTargets(tokenizer) : intentTargets(config.id2label),
    seed: settings.seed ?? 0,
    seconds: (settings["batch-seconds"] ?? 32) / (settings["grad-accum-steps"] ?? 1),
    speedPerturbation: settings["speed-perturbation"] ?? false,
    noise: settings.noise ?? 0,
    join: settings.join ?? 0,
  });
  const notes = [...checkpoint.notes, ...clips.notes, ...feed.notes];
  if (tokenizer) notes.push(...outOfVocabulary(tokenizer, [...clips.train, ...test.clips]));
  const learned = new Set(clips.train.map(({ audio }) => audio));
  if (test.clips.every(({ audio }) => learned.has(audio))) {
    notes.push("the clips to report on are those to learn from: give other ones by --test-subset");
  }
  return {
    task,
    folder,
    checkpoint,
    before: await readRecord(folder),
    files,
    preprocessor,
    tokenizer,
    data: clips.folder,
    feed,
    train: await withSeconds(clips.train),
    dev: clips.dev && await withSeconds(clips.dev),
    test,
    notes,
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}

/** What a run is done with beside its model and clips. */
export interface RunTools {
  readonly gpu: Gpu;
  readonly out: string;
  readonly settings: PruneSettings;
}

/** Refuses options that would do nothing. */
function refuseIdle({ method = "mac", steps = 2000, warmup = 0, ...settings }: PruneSettings): void {
  if (warmup > steps) {
    throw new UserError(`Cannot prune as --warmup must be at most the ${steps} steps: ${warmup}`);
  }
  for (const name of ["target-conv", "target-transformer"] as const) {
    if (method === "sep-size" || settings[name] === undefined) continue;
    throw new UserError(`Cannot prune as --${name} is for sep-size alone: the method is ${method}`);
  }
}

/**
 * The phases of a run.
 *
 * @param run model and clips
 * @param tools device, folder and options
 */
export function pipelineOptions(
  run: PruneRun,
  tools: RunTools,
): PlannedRun {
  const { gpu, out, settings } = tools;
  refuseIdle(settings);
  const steps = settings.steps ?? 2000;
  const finetuneSteps = settings["finetune-steps"] ?? Math.max(1, Math.round(steps / 2));
  const lr = settings.lr ?? 1e-4;
  const gateRate = settings["gate-lr"] ?? Math.min(0.1, Math.max(0.02, 100 / steps));
  const phase = (steps: number, lr: number) => ({
    steps,
    lr,
    warmup: Math.round(steps / 20),
    schedule: "linear" as const,
    seed: settings.seed ?? 0,
    gradAccumSteps: settings["grad-accum-steps"] ?? 1,
    maxGradNorm: settings["max-grad-norm"] ?? 10,
    evalEvery: settings["eval-every"] ?? Math.max(1, Math.round(steps / 4)),
    saveEvery: settings["save-every"] ?? 100,
    progress: progressOf(steps),
  });
  const { feed: { source, dev }, test, checkpoint, before, files, preprocessor, tokenizer } = run;
  return {
    checkpoint,
    before,
    files,
    preprocessor,
    tokenizer,
    gpu,
    out,
    name: settings.model!,
    version: program.version,
    source,
    ...dev && { dev },
    test: () => clipsOf(test.clips),
    normalize: (text) => normalizeText(text),
    method: settings.method ?? "mac",
    target: settings.target ?? 0.5,
    ...settings["target-conv"] !== undefined && { targetConv: settings["target-conv"] },
    ...settings["target-transformer"] !== undefined && { targetTransformer: settings["target-transformer"] },
    ...settings.prune !== undefined && { kinds: parseKinds(settings.prune) },
    ...settings.seconds !== undefined && { seconds: settings.seconds },
    roundTo: settings["round-to"] ?? 1,
    half: settings.half ?? false,
    distill: settings.distill ?? 0.9,
    gradCheckpoint: settings["grad-checkpoint"] ?? false,
    weightDecay: settings["weight-decay"] ?? 0,
    pruning: {
      ...phase(steps, lr),
      schedule: "constant",
      gateRate,
      lambdaRate: settings["lambda-lr"] ?? 2 * gateRate,
      targetWarmup: settings.warmup ?? Math.round(0.75 * steps),
      ramp: settings.ramp ?? "quadratic",
    },
    tuning: finetuneSteps === 0 ? null : phase(finetuneSteps, settings["finetune-lr"] ?? lr),
    say: (line) => console.error(line),
  };
}
