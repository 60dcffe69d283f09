// Writes the folder of an ONNX model that transformers.js loads.
import type { Checkpoint } from "../checkpoint/types.ts";
import { encodeConfig } from "../config_encode.ts";
import type { ModelConfig } from "../config_types.ts";
import { type CtcTokenizer, readTokenizer } from "../decode/tokenizer.ts";
import { type PreprocessorConfig, readPreprocessor } from "../inference/preprocess.ts";
import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import type { ReadFile } from "../checkpoint/weight_files.ts";
import { withHead } from "../parameter_specs.ts";
import { encodeOnnx, type OnnxDtype, type OnnxFile, type OnnxOptions } from "./encode_onnx.ts";
import { tokenizerConfig } from "../transformers/tokenizer_config.ts";
import { tokenizerJson } from "./tokenizer_json.ts";

/** What transformers.js calls the element types. */
const JS_DTYPES: Readonly<Record<OnnxDtype, string>> = { f32: "fp32", f16: "fp16", q8: "q8" };

/** What {@linkcode writeOnnxFolder} wrote. */
export interface OnnxFolder {
  /** The model files. */
  readonly files: readonly OnnxFile[];
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Whether a tokenizer was written. */
  readonly tokenizer: boolean;
}

/** Options of {@linkcode writeOnnxFolder}. */
export interface OnnxFolderOptions extends Pick<OnnxOptions, "opset" | "producerVersion" | "maxBytes"> {
  /** Element types of the weights, a model file for each; default f32 only. */
  readonly dtypes?: readonly OnnxDtype[];
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
 * Writes `onnx/model.onnx` or its variants with other element types, `config.json`, `preprocessor_config.json` and, for a CTC model with a vocabulary, `vocab.json`,
 * `tokenizer.json` and `tokenizer_config.json`.
 *
 * @param folder Path of the folder; created if it is missing.
 * @param source The model.
 * @param options Element types and operator set.
 * @throws {TypeError} If the model has no head.
 * @throws {SyntaxError | TypeError | RangeError} If a file of the model is invalid; one line.
 * @throws {Error} If a file cannot be written; one line with its path.
 */
export async function writeOnnxFolder(
  folder: string,
  { checkpoint, read, name }: OnnxSource,
  { dtypes = ["f32"], ...options }: OnnxFolderOptions = {},
): Promise<OnnxFolder> {
  const text = async (file: string) => {
    const bytes = await read(file);
    return bytes ? new TextDecoder().decode(bytes) : undefined;
  };
  const preprocessor = await readPreprocessor(text, name);
  const attentionMask = preprocessor.return_attention_mask;
  const files = dtypes.map((dtype) => encodeOnnx(checkpoint, { ...options, dtype, attentionMask, name }));
  const tokenizer = checkpoint.head === "ctc" ? await tokenizerFiles(checkpoint.config, name, text) : null;

  await makeFolder(`${folder}/onnx`);
  for (const file of files.flatMap((file) => [...file.data, file])) {
    await writeFileAtomic(`${folder}/onnx/${file.name}`, file.parts());
  }
  const beside = {
    "config.json": {
      ...configJson(withHead(checkpoint.config, checkpoint.head), checkpoint.head),
      ...loadingJson(files, dtypes),
    },
    "preprocessor_config.json": preprocessorJson(preprocessor),
    ...tokenizer,
  };
  for (const [file, content] of Object.entries(beside)) {
    await writeFileAtomic(`${folder}/${file}`, JSON.stringify(content, null, 2) + "\n");
  }
  const inputs = ["input_values", ...attentionMask ? ["attention_mask"] : []];
  return { files, inputs, tokenizer: tokenizer !== null };
}

/**
 * The model's config. transformers.js has no pipeline of speech recognition for `wavlm` and `data2vec-audio`; it runs any graph under
 * `wav2vec2`, by the names of its inputs.
 */
function configJson(config: ModelConfig, head: Checkpoint["head"]): Record<string, unknown> {
  const { auto_map: _, ...json } = JSON.parse(encodeConfig(config)) as Record<string, unknown>; // names a Python file
  const renamed = ["wavlm", "data2vec-audio"].includes(config.model_type) && head === "ctc";
  return {
    ...json,
    ...renamed && { model_type: "wav2vec2", architectures: ["Wav2Vec2ForCTC"] },
  };
}

/**
 * How transformers.js loads the model. Its defaults are f32, and q8 in browsers without WebGPU; where one of them is missing, the
 * element type is set.
 */
function loadingJson(files: readonly OnnxFile[], dtypes: readonly OnnxDtype[]): Record<string, unknown> {
  const [first] = (["f32", "f16", "q8"] as const).filter((dtype) => dtypes.includes(dtype));
  const chunks = files.filter(({ data }) => data.length > 0).map(({ name, data }) => [name, data.length]);
  const settings = {
    ...!(dtypes.includes("f32") && dtypes.includes("q8")) && { dtype: JS_DTYPES[first!] },
    ...chunks.length > 0 && { use_external_data_format: Object.fromEntries(chunks) },
  };
  return Object.keys(settings).length > 0 ? { "transformers.js_config": settings } : {};
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
    "tokenizer_config.json": tokenizerConfig(tokenizer, await text("tokenizer_config.json")),
  };
}

function vocabOf({ tokens }: CtcTokenizer): Record<string, number> {
  return Object.fromEntries(tokens.flatMap((token, id) => token === null ? [] : [[token, id]]));
}
