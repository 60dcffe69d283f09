// Writes the folder of an ONNX model that transformers.js loads.
import type { Checkpoint } from "../checkpoint/types.ts";
import { encodeConfig } from "../config_encode.ts";
import type { ModelConfig } from "../config_types.ts";
import { type CtcTokenizer, readTokenizer } from "../decode/tokenizer.ts";
import { type PreprocessorConfig, readPreprocessor } from "../inference/preprocess.ts";
import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import type { ReadFile } from "../checkpoint/weight_files.ts";
import { withHead } from "../parameter_specs.ts";
import { encodeOnnx, type OnnxFile, type OnnxOptions } from "./encode_onnx.ts";
import { tokenizerJson } from "./tokenizer_json.ts";

/** What {@linkcode writeOnnxFolder} wrote. */
export interface OnnxFolder {
  /** The model file. */
  readonly file: OnnxFile;
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Whether a tokenizer was written. */
  readonly tokenizer: boolean;
}

/** A model with the files beside its weights. */
export interface OnnxSource {
  /** The model. */
  readonly checkpoint: Checkpoint;
  /** Reads a file of its folder. */
  readonly read: ReadFile;
  /** Path of its folder, for error messages. */
  readonly name: string;
}

/**
 * Writes `onnx/model.onnx`, `config.json`, `preprocessor_config.json` and, for a CTC model with a vocabulary, `vocab.json`,
 * `tokenizer.json` and `tokenizer_config.json`.
 *
 * @param folder Path of the folder; created if it is missing.
 * @param source The model.
 * @param options Operator set.
 * @throws {TypeError} If the model has no head.
 * @throws {SyntaxError | TypeError | RangeError} If a file of the model is invalid; one line.
 * @throws {Error} If a file cannot be written; one line with its path.
 */
export async function writeOnnxFolder(
  folder: string,
  { checkpoint, read, name }: OnnxSource,
  options: Pick<OnnxOptions, "opset" | "producerVersion"> = {},
): Promise<OnnxFolder> {
  const text = async (file: string) => {
    const bytes = await read(file);
    return bytes ? new TextDecoder().decode(bytes) : undefined;
  };
  const preprocessor = await readPreprocessor(text, name);
  const attentionMask = preprocessor.return_attention_mask;
  const file = encodeOnnx(checkpoint, { ...options, attentionMask, name });
  const tokenizer = checkpoint.head === "ctc" ? await tokenizerFiles(checkpoint.config, name, text) : null;

  await makeFolder(`${folder}/onnx`);
  await writeFileAtomic(`${folder}/onnx/model.onnx`, file.parts());
  const files = {
    "config.json": configJson(withHead(checkpoint.config, checkpoint.head), checkpoint.head),
    "preprocessor_config.json": preprocessorJson(preprocessor),
    ...tokenizer,
  };
  for (const [file, content] of Object.entries(files)) {
    await writeFileAtomic(`${folder}/${file}`, JSON.stringify(content, null, 2) + "\n");
  }
  const inputs = ["input_values", ...attentionMask ? ["attention_mask"] : []];
  return { file, inputs, tokenizer: tokenizer !== null };
}

/**
 * The model's config. transformers.js has no pipeline of speech recognition for `wavlm`; it runs any graph under `wav2vec2`, by the
 * names of its inputs.
 */
function configJson(config: ModelConfig, head: Checkpoint["head"]): Record<string, unknown> {
  const json = JSON.parse(encodeConfig(config)) as Record<string, unknown>;
  const renamed = config.model_type === "wavlm" && head === "ctc";
  return {
    ...json,
    ...renamed && { model_type: "wav2vec2", architectures: ["Wav2Vec2ForCTC"] },
    "transformers.js_config": { dtype: "fp32" },
  };
}

function preprocessorJson(preprocessor: PreprocessorConfig): Record<string, unknown> {
  return {
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    ...preprocessor,
  };
}

/** The files of the tokenizer by name; null for a model without `vocab.json`. */
async function tokenizerFiles(
  { vocab_size }: ModelConfig,
  name: string,
  text: (file: string) => Promise<string | undefined>,
): Promise<Record<string, unknown> | null> {
  const tokenizer = await readTokenizer(text, vocab_size, name);
  return tokenizer && {
    "vocab.json": vocabOf(tokenizer),
    "tokenizer.json": tokenizerJson(tokenizer),
    "tokenizer_config.json": tokenizerConfigJson(tokenizer, await text("tokenizer_config.json")),
  };
}

function vocabOf({ tokens }: CtcTokenizer): Record<string, number> {
  return Object.fromEntries(tokens.flatMap((token, id) => token === null ? [] : [[token, id]]));
}

/** The settings of the model, and those that transformers.js needs. Added tokens are in `vocab.json` and `tokenizer.json`. */
function tokenizerConfigJson(
  { tokens, padId, unknownId, delimiterId }: CtcTokenizer,
  source = "{}",
): Record<string, unknown> {
  const { added_tokens_decoder: _, ...given } = JSON.parse(source) as Record<string, unknown>;
  return {
    pad_token: tokens[padId],
    ...unknownId !== null && { unk_token: tokens[unknownId] },
    ...delimiterId !== null && { word_delimiter_token: tokens[delimiterId] },
    ...given,
    tokenizer_class: "Wav2Vec2CTCTokenizer",
    clean_up_tokenization_spaces: false,
  };
}
