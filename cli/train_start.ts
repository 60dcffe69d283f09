import type { Utterance } from "../data/corpus/utterance.ts";
import { buildVocabulary, normalizeText, readVocabulary } from "../data/corpus/vocabulary.ts";
import { type Checkpoint, readCheckpoint } from "../model/checkpoint/read.ts";
import type { ModelConfig } from "../model/config.ts";
import { parseConfig } from "../model/config.ts";
import { encodeConfig } from "../model/config_encode.ts";
import { headOf } from "../model/parameter_specs.ts";
import {
  DEFAULT_PREPROCESSOR,
  featureExtractorIn,
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../model/inference/preprocess.ts";
import { randomCheckpoint } from "../model/random.ts";
import { type CtcTokenizer, parseTokenizer } from "../model/decode/tokenizer.ts";
import { readFileIfExists } from "../files/atomic_file.ts";
import { RECORD_FILE } from "../prune/record.ts";
import { blankModel, configFor, prepareModel, type TrainTask } from "../train/prepare.ts";
import { type Regularization, regularize } from "../train/regularize.ts";
import type { FoundState } from "../train/run_state.ts";
import { folderOf } from "./model_option.ts";
import { outOfVocabulary } from "./out_of_vocabulary.ts";

/** A model ready for training, with its tokenizer and files. */
export interface TrainStart {
  readonly checkpoint: Checkpoint;
  readonly preprocessor: PreprocessorConfig;
  /** Null for a classification model. */
  readonly tokenizer: CtcTokenizer | null;
  /** Other files of the model than its weights, as text by name, where they are not on disk yet. */
  readonly files: Readonly<Record<string, string>>;
  /** Notes for the user, a sentence each. */
  readonly notes: readonly string[];
}

/** Starting point of a new run. */
export interface StartOptions {
  /** Folder or name on the hub, or else `config`. */
  readonly model?: string;
  /** Version of a model on the hub. */
  readonly revision?: string | undefined;
  /** Path of a config.json for random weights. */
  readonly config?: string;
  readonly task: "asr" | "slu";
  /** Path of a vocab.json, or its folder, to use instead of the model's. */
  readonly vocab?: string | undefined;
  /** Whether the head starts from random weights. */
  readonly newHead?: boolean;
  readonly seed: number;
  /** Training utterances. */
  readonly utterances: readonly Utterance[];
  /** Changes to the config. */
  readonly regularization?: Regularization;
}

const TOKENIZER_FILES = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

/** Files of a model besides config and weights; the last records how it was pruned. */
const FILES = ["preprocessor_config.json", "vocab.json", ...TOKENIZER_FILES, RECORD_FILE];

/**
 * Prepares a model for a new run.
 *
 * @param options starting point
 * @throws {Error} a file is missing or wrong; one line
 */
export async function startFresh(options: StartOptions): Promise<TrainStart> {
  const { model, revision, config: path, task, seed, utterances } = options;
  const folder = model === undefined ? null : await folderOf(model, revision);
  const from = folder === null ? null : await readCheckpoint(folder);
  const config = from?.config ?? parseConfig(await textOf(path!) ?? missing(path!), path!);
  const notes = [...from?.notes ?? []];
  const files = await modelFiles(folder, config);
  const preprocessor = parsePreprocessorConfig(
    files["preprocessor_config.json"]!,
    "preprocessor_config.json",
  );
  let tokenizer: CtcTokenizer | null = null;
  let aim: TrainTask;
  if (task === "slu") {
    aim = { head: "classify", classes: classesOf(utterances, from) };
  } else {
    tokenizer = await tokenizerFor(options, folder, from, files);
    aim = { head: "ctc", tokens: tokenizer.size, blank: tokenizer.padId };
    notes.push(...outOfVocabulary(tokenizer, utterances));
  }
  const start = from ?? randomCheckpoint(configFor(config, aim), seed, aim.head);
  const keepsHead = !options.newHead && await keepsTokens(folder, tokenizer, from);
  const regular = {
    ...start,
    config: regularize(start.config, options.regularization ?? {}),
    head: keepsHead ? start.head : "none" as const,
  };
  const { checkpoint, newHead } = prepareModel(regular, aim, seed);
  if (from && newHead) {
    const what = aim.head === "ctc" ? `${aim.tokens} tokens` : `${aim.classes.length} classes`;
    notes.push(`the model gets a new head with random weights, for ${what}`);
  }
  if (aim.head === "classify") delete files["vocab.json"];
  files["config.json"] = encodeConfig(checkpoint.config);
  return { checkpoint, preprocessor, tokenizer, files, notes };
}

/**
 * The tokenizer of a run, whose vocabulary is left in `files`: that of the option, else the model's if its CTC head stays, else one
 * made from the training transcripts.
 */
async function tokenizerFor(
  { vocab, newHead, utterances }: StartOptions,
  folder: string | null,
  from: Checkpoint | null,
  files: Record<string, string>,
): Promise<CtcTokenizer> {
  if (
    folder !== null && files["vocab.json"] !== undefined && from?.head === "ctc" && !newHead &&
    vocab === undefined
  ) {
    return await readVocabulary(folder);
  }
  for (const name of TOKENIZER_FILES) delete files[name];
  if (vocab !== undefined) {
    const tokenizer = await readVocabulary(vocab);
    const isFolder = await Deno.stat(vocab).then(({ isDirectory }) => isDirectory);
    const beside = isFolder ? `${vocab}/` : vocab.replace(/[^/]*$/, "");
    files["vocab.json"] = (await textOf(isFolder ? `${vocab}/vocab.json` : vocab))!;
    // The settings beside it name its special tokens.
    for (const name of TOKENIZER_FILES) {
      const text = await textOf(beside + name);
      if (text !== null) files[name] = text;
    }
    return tokenizer;
  }
  files["vocab.json"] = json(buildVocabulary(utterances.map(({ text }) => normalizeText(text ?? ""))));
  return parseTokenizer({ vocab: files["vocab.json"] });
}

/** Whether a CTC head's outputs keep their tokens; a head for other tokens would start from wrong weights. */
async function keepsTokens(
  folder: string | null,
  tokenizer: CtcTokenizer | null,
  from: Checkpoint | null,
): Promise<boolean> {
  if (!tokenizer || folder === null || from?.head !== "ctc") return true;
  const before = await textOf(`${folder}/vocab.json`) === null ? null : await readVocabulary(folder);
  return before === null || before.tokens.join("\n") === tokenizer.tokens.join("\n");
}

/** The classes of the model where it has them all, else those of the utterances. */
function classesOf(utterances: readonly Utterance[], from: Checkpoint | null): readonly string[] {
  const classes = [...new Set(utterances.map(({ intent }) => intent!))].sort();
  const known = from?.head === "classify" ? from.config.id2label : [];
  return classes.every((name) => known.includes(name)) ? known : classes;
}

/**
 * The model of a resumed run; its weights are in the state.
 *
 * @param out the run's folder
 * @param state the saved state
 * @throws {Error} a file is missing or wrong; one line
 */
export async function startAgain(out: string, state: FoundState): Promise<TrainStart> {
  const config = parseConfig(
    await textOf(`${out}/config.json`) ?? missing(`${out}/config.json`),
    `${out}/config.json`,
  );
  const head = headOf(config);
  const checkpoint = blankModel(config, head, (name) => state.tensors.has(`weight.${name}`));
  const settings = await textOf(`${out}/preprocessor_config.json`);
  return {
    checkpoint,
    preprocessor: settings === null
      ? DEFAULT_PREPROCESSOR
      : parsePreprocessorConfig(settings, `${out}/preprocessor_config.json`),
    tokenizer: head === "ctc" ? (await readVocabulary(out)).trimmed(config.vocab_size) : null,
    files: {},
    notes: state.notes,
  };
}

/** The small files of a model, as text by name; `preprocessor_config.json` is always among them. */
export async function modelFiles(
  folder: string | null,
  config: ModelConfig,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of FILES) {
    const text = folder === null ? null : await textOf(`${folder}/${name}`);
    if (text !== null) files[name] = text;
  }
  const processor = folder === null ? null : await textOf(`${folder}/processor_config.json`);
  const extractor = processor && featureExtractorIn(processor, `${folder}/processor_config.json`);
  if (extractor) files["preprocessor_config.json"] = extractor;
  if (files["vocab.json"] === undefined) { for (const name of TOKENIZER_FILES) delete files[name]; }
  // As the published models have it: those of the group family were trained without an attention mask.
  const otherwise = folder === null
    ? { ...DEFAULT_PREPROCESSOR, return_attention_mask: config.feat_extract_norm === "layer" }
    : DEFAULT_PREPROCESSOR;
  files["preprocessor_config.json"] ??= json({
    ...otherwise,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
  });
  return files;
}

async function textOf(path: string): Promise<string | null> {
  const bytes = await readFileIfExists(path);
  return bytes && new TextDecoder().decode(bytes);
}

function missing(path: string): never {
  throw new Error(`Cannot train as a model needs its config: there is no file ${path}`);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
