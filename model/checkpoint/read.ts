// Reads model folders: config.json and weights, published by Hugging Face, torchaudio or DPHuBERT.
import { withAdapter } from "./adapter.ts";
import { memorySource } from "../../files/byte_source.ts";
import { matchTensors } from "./match.ts";
import {
  folderOnDisk,
  isTorchName,
  type ModelFolder,
  type ReadFile,
  readWeightFile,
  readWeights,
  splitPath,
  WEIGHT_FILES,
} from "./weight_files.ts";
import { type ModelConfig, parseConfig } from "../config.ts";
import { printable } from "../../files/printable.ts";
import { type Checkpoint, type CheckpointFiles, PUBLISHED_LAYOUT } from "./types.ts";

export {
  type Checkpoint,
  type CheckpointFiles,
  type DiskTensor,
  type LayoutOnDisk,
  PUBLISHED_LAYOUT,
  type Weight,
} from "./types.ts";

/** Options of {@linkcode readCheckpoint}. */
export interface ReadCheckpointOptions {
  /** Architecture if there is no `config.json`, as with models of torchaudio; overrides an existing file. */
  readonly config?: ModelConfig;
  /** Language of a model of MMS, such as `fra`: its adapter and its head; default: those of the weights. */
  readonly language?: string;
}

/**
 * Reads a model: `config.json`, and `model.safetensors`, `pytorch_model.bin` or their shards, in F32, F16, BF16 or F64. Tensor
 * names may be those of Hugging Face, with or without prefix and with either naming of weight norm, or those of torchaudio and
 * DPHuBERT, whose files have their own config. Every tensor is checked for shape, dtype and finite values. F32 data is not
 * copied.
 *
 * @param source Path of a model folder or of a weight file beside its `config.json`, or files in memory.
 * @param options Architecture, if the files lack it; language.
 * @throws {SyntaxError} If a file cannot be parsed. Every error is one line that names file and field.
 * @throws {TypeError} If a tensor is missing or has the wrong shape or dtype.
 * @throws {RangeError} If a weight is not finite, or the model has parts that are not supported.
 * @throws {Error} If files are missing or unreadable.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "./read.ts";
 *
 * const { config, tensors, notes } = await readCheckpoint("tests/testdata/base");
 * tensors.get("encoder.layer_norm.weight")?.shape; // [24]
 * ```
 */
export async function readCheckpoint(
  source: string | CheckpointFiles,
  options: ReadCheckpointOptions = {},
): Promise<Checkpoint> {
  const place = typeof source === "string"
    ? await openPath(source.replace(/(?<=.)\/+$/, ""))
    : inMemory(source);
  const { folder, read, file } = place;
  const { language } = options;
  const beside = options.config ?? await readConfig(folder, read);
  const stored = file ? [readWeightFile(place, file) ?? missing(folder, file)] : await readWeights(place);
  const [only] = stored.length === 1 && language === undefined ? stored : [];
  const embedded = options.config ? null : only?.embedded ?? null;
  const config = embedded ? parseConfig(embedded.config, `${only!.name}, config`) : beside;
  if (!config || stored.length === 0) throw missingFiles(folder, config !== null);
  const adapted = language === undefined
    ? { config, files: stored }
    : await withAdapter(place, language, config, stored);
  const { files } = adapted;
  const { onDisk: tensors, ...model } = matchTensors(adapted.config, files);
  if (embedded) {
    // In Hugging Face's names, as no config of theirs belongs to the names of the file.
    const implied = { "preprocessor_config.json": embedded.preprocessor };
    return { ...model, layoutOnDisk: PUBLISHED_LAYOUT, implied };
  }
  const metadata = only?.content.metadata ??
    Object.assign({}, ...files.map(({ content }) => content.metadata));
  return {
    ...model,
    layoutOnDisk: { tensors, metadata, header: only?.header ?? null },
    ...language !== undefined && { language },
  };
}

function missingFiles(folder: string, hasConfig: boolean): Error {
  const [rule, found] = hasConfig
    ? [`${WEIGHT_FILES.join(" or ")} is required`, "both are missing"]
    : ["config.json is required", "it is missing"];
  return new Error(`Cannot load ${printable(folder)} as ${rule}: ${found}`);
}

/** What the path of a model may be. */
const KINDS = "a model must be a folder or a .safetensors, .bin, .pt or .pth file";

interface Source extends ModelFolder {
  /** Name of the weight file, if the path is one. */
  readonly file?: string;
}

function inMemory({ files, name = "the files" }: CheckpointFiles): Source {
  const read: ReadFile = (file) => Promise.resolve(Object.hasOwn(files, file) ? files[file]! : null);
  const open = (file: string) => {
    const bytes = Object.hasOwn(files, file) ? files[file] : undefined;
    return bytes ? memorySource(bytes) : null;
  };
  return { folder: name, read, open, list: () => Promise.resolve(Object.keys(files)) };
}

async function openPath(path: string): Promise<Source> {
  const refuse = (rule: string, found: string): never => {
    throw new Error(`Cannot load ${printable(path)} as ${rule}: ${found}`);
  };
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) return folderOnDisk(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return refuse(KINDS, "there is no such file or folder");
    const [reason] = (error as Error).message.split(": ");
    return refuse(KINDS, reason!);
  }
  const { folder, file } = splitPath(path);
  if (!file.endsWith(".safetensors") && !isTorchName(file)) return refuse(KINDS, "it is another file");
  return { ...folderOnDisk(folder), file };
}

/** The `config.json` of a folder; null if it is missing. */
async function readConfig(folder: string, read: ReadFile): Promise<ModelConfig | null> {
  const bytes = await read("config.json");
  return bytes && parseConfig(new TextDecoder().decode(bytes), `${folder}/config.json`);
}

function missing(folder: string, file: string): never {
  throw new Error(`Cannot load ${printable(folder)} as a file is missing: ${printable(file)}`);
}
