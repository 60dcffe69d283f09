import type { Utterance } from "../data/corpus/utterance.ts";
import { outOfVocabulary } from "../data/corpus/out_of_vocabulary.ts";
import { buildVocabulary, normalizeText, readVocabulary } from "../data/corpus/vocabulary.ts";
import { readFileIfExists } from "../files/atomic_file.ts";
import type { Checkpoint } from "../model/checkpoint/read.ts";
import { type ModelConfig, parseConfig } from "../model/config.ts";
import { encodeConfig } from "../model/config_encode.ts";
import { type CtcTokenizer, parseTokenizer } from "../model/decode/tokenizer.ts";
import {
  DEFAULT_PREPROCESSOR,
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../model/inference/preprocess.ts";
import { hasMaskEmbedding, headOf } from "../model/parameter_specs.ts";
import { randomCheckpoint } from "../model/random.ts";
import {
  json,
  type ModelFiles,
  modelFiles,
  RECORD_FILE,
  TOKENIZER_FILES,
  tokenizerIn,
} from "../model/inference/model_files.ts";
import { blankModel, configFor, prepareModel, type TrainTask } from "./prepare.ts";
import { type Regularization, regularize } from "./regularize.ts";
import type { EarlyFiles } from "./run_folder.ts";
import type { FoundState } from "./run_state.ts";

/** Files that a run writes before it starts. */
export const START_FILES: readonly string[] = [
  "config.json",
  "preprocessor_config.json",
  "vocab.json",
  ...TOKENIZER_FILES,
  RECORD_FILE,
];

/** What a run leaves that is killed before its first state is on disk. */
export const EARLY_FILES: EarlyFiles = { folder: "state", files: [...START_FILES, "metrics.jsonl"] };

/** A model ready for training, with its tokenizer and files. */
export interface TrainStart {
  readonly checkpoint: Checkpoint;
  readonly preprocessor: PreprocessorConfig;
  /** Null for a classification model. */
  readonly tokenizer: CtcTokenizer | null;
  /** Other files of the model than its weights, as text by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Notes for the user, a sentence each. */
  readonly notes: readonly string[];
}

/** A model to train: on the host, with its small files. */
export interface BaseModel {
  /** Name or path, for messages. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
  /** As {@linkcode modelFiles} reads them. */
  readonly files: ModelFiles;
  /** Bytes of its weights on disk; null if they are not in one file. */
  readonly fileBytes: number | null;
}

/** Starting point of a new run. */
export interface StartOptions {
  /** The model, or an architecture for random weights. */
  readonly from: BaseModel | ModelConfig;
  readonly task: "asr" | "slu";
  /** Vocabulary to use instead of the model's: `vocab.json`, and the files that name its special tokens. */
  readonly vocab?: { readonly name: string; readonly files: ModelFiles } | undefined;
  /** Whether the head starts from random weights. */
  readonly newHead?: boolean;
  readonly seed: number;
  /** Training utterances. */
  readonly utterances: readonly Utterance[];
  /** Changes to the config. */
  readonly regularization?: Regularization;
}

/**
 * Prepares a model for a new run.
 *
 * @param options starting point
 * @throws {Error} a file is missing or wrong; one line
 */
export async function startFresh(options: StartOptions): Promise<TrainStart> {
  const { from, task, seed, utterances } = options;
  const model = "checkpoint" in from ? from : null;
  const config = "checkpoint" in from ? from.checkpoint.config : from;
  const notes = [...model?.checkpoint.notes ?? []];
  const files = { ...model?.files ?? await modelFiles(null, config, "the model") };
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    "preprocessor_config.json",
  );
  let tokenizer: CtcTokenizer | null = null;
  let aim: TrainTask;
  if (task === "slu") {
    aim = { head: "classify", classes: classesOf(utterances, model?.checkpoint) };
  } else {
    tokenizer = tokenizerFor(options, model, files);
    aim = { head: "ctc", tokens: tokenizer.size, blank: tokenizer.padId };
    notes.push(...outOfVocabulary(tokenizer, utterances));
  }
  const start = model?.checkpoint ?? randomCheckpoint(configFor(config, aim), seed, aim.head);
  const keepsHead = !options.newHead && keepsTokens(model, tokenizer);
  const masked = { ...start, config: maskedConfig(start.config, options.regularization) };
  const prepared = prepareModel({ ...masked, head: keepsHead ? start.head : "none" }, aim, seed);
  const checkpoint = { ...prepared.checkpoint, config: configFor(start.config, aim) };
  const { newHead } = prepared;
  if (model && newHead) {
    const what = aim.head === "ctc" ? `${aim.tokens} tokens` : `${aim.classes.length} classes`;
    notes.push(`the model gets a new head with random weights, for ${what}`);
  }
  if (aim.head === "classify") delete files["vocab.json"];
  files["config.json"] = encodeConfig(checkpoint.config);
  return { checkpoint, preprocessor, tokenizer, files, notes };
}

/** A config that has a mask embedding if the training masks frames, as the model's own config may not. */
function maskedConfig(config: ModelConfig, regularization: Regularization = {}): ModelConfig {
  const regular = regularize(config, regularization);
  return hasMaskEmbedding(regular) ? { ...config, mask_time_prob: regular.mask_time_prob } : config;
}

/**
 * The tokenizer of a run, whose vocabulary is left in `files`: that of the option, else the model's if its CTC head stays, else one
 * made from the training transcripts.
 */
function tokenizerFor(
  { vocab, newHead, utterances }: StartOptions,
  model: BaseModel | null,
  files: Record<string, string>,
): CtcTokenizer {
  const hasVocabulary = files["vocab.json"] !== undefined && model?.checkpoint.head === "ctc";
  if (hasVocabulary && !newHead && vocab === undefined) return tokenizerIn(files, `${model.name}/vocab.json`);
  for (const name of TOKENIZER_FILES) delete files[name];
  if (vocab !== undefined) {
    Object.assign(files, vocab.files);
    return tokenizerIn(vocab.files, vocab.name);
  }
  files["vocab.json"] = json(buildVocabulary(utterances.map(({ text }) => normalizeText(text ?? ""))));
  return parseTokenizer({ vocab: files["vocab.json"] });
}

/** Whether a CTC head's outputs keep their tokens; a head for other tokens would start from wrong weights. */
function keepsTokens(model: BaseModel | null, tokenizer: CtcTokenizer | null): boolean {
  if (!tokenizer || model?.checkpoint.head !== "ctc" || model.files["vocab.json"] === undefined) return true;
  return tokenizerIn(model.files, `${model.name}/vocab.json`).tokens.join("\n") ===
    tokenizer.tokens.join("\n");
}

/** The classes of the model where it has them all, else those of the utterances. */
function classesOf(utterances: readonly Utterance[], from: Checkpoint | undefined): readonly string[] {
  const classes = [...new Set(utterances.map(({ intent }) => intent!))].sort();
  const known = from?.head === "classify" ? from.config.id2label : [];
  return classes.every((name) => known.includes(name)) ? known : classes;
}

/**
 * The model of a resumed run; its weights are in the state.
 *
 * @param out the run's folder
 * @param state the saved state
 * @param regularization changes to the config in the run
 * @throws {Error} a file is missing or wrong; one line
 */
export async function startAgain(
  out: string,
  state: FoundState,
  regularization: Regularization,
): Promise<TrainStart> {
  const config = parseConfig(
    await textOf(`${out}/config.json`) ?? missing(`${out}/config.json`),
    `${out}/config.json`,
  );
  const head = headOf(config);
  const has = (name: string) => state.tensors.has(`weight.${name}`);
  const checkpoint = { ...blankModel(maskedConfig(config, regularization), head, has), config };
  const files: Record<string, string> = {};
  for (const name of START_FILES) {
    const text = await textOf(`${out}/${name}`);
    if (text !== null) files[name] = text;
  }
  const settings = files["preprocessor_config.json"];
  return {
    checkpoint,
    preprocessor: settings === undefined
      ? DEFAULT_PREPROCESSOR
      : parsePreprocessorConfig(settings, `${out}/preprocessor_config.json`),
    tokenizer: head === "ctc" ? (await readVocabulary(out)).trimmed(config.vocab_size) : null,
    files,
    notes: state.notes,
  };
}

async function textOf(path: string): Promise<string | null> {
  const bytes = await readFileIfExists(path);
  return bytes && new TextDecoder().decode(bytes);
}

function missing(path: string): never {
  throw new Error(`Cannot train as a model needs its config: there is no file ${path}`);
}
