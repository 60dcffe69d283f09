// Reads model folders: config.json and safetensors weights, published by Hugging Face, torchaudio or DPHuBERT.
import { matchTensors } from "./match.ts";
import {
  folderReader,
  isTorchName,
  type ReadFile,
  readWeights,
  type WeightFile,
  weightFile,
} from "./weight_files.ts";
import { type ModelConfig, parseConfig } from "../config.ts";
import { printable } from "../../files/printable.ts";
import type { Checkpoint, CheckpointFiles } from "./types.ts";

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
}

/**
 * Reads a model: `config.json`, and `model.safetensors` or its shards, in F32, F16, BF16 or F64. Tensor names may be those of
 * Hugging Face, with or without prefix and with either naming of weight norm, or those of torchaudio and DPHuBERT. Every
 * tensor is checked for shape, dtype and finite values. F32 data is not copied.
 *
 * @param source Path of a model folder or of a `.safetensors` file beside its `config.json`, or files in memory.
 * @param options Architecture, if the files lack it.
 * @throws {SyntaxError} If a file cannot be parsed. Every error is one line that names file and field.
 * @throws {TypeError} If a tensor is missing or has the wrong shape or dtype.
 * @throws {RangeError} If a weight is not finite, or the model has parts that are not supported.
 * @throws {Error} If files are missing or unreadable, or the weights are a pickle file.
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
  const { folder, read, file } = typeof source === "string"
    ? await openPath(source.replace(/(?<=.)\/+$/, ""))
    : inMemory(source);
  const config = options.config ?? await readConfig(folder, read);
  const files = file ? [await readWeightFile(folder, file, read)] : await readWeights(folder, read);
  const [only] = files.length === 1 ? files : [];
  const { onDisk: tensors, ...model } = matchTensors(config, files);
  const metadata = only?.content.metadata ??
    Object.assign({}, ...files.map(({ content }) => content.metadata));
  return { ...model, layoutOnDisk: { tensors, metadata, header: only?.header ?? null } };
}

/** What the path of a model may be. */
const KINDS = "a model must be a folder or a .safetensors, .bin, .pt or .pth file";

interface Source {
  readonly folder: string;
  readonly read: ReadFile;
  /** Name of the weight file, if the path is one. */
  readonly file?: string;
}

function inMemory({ files, name = "the files" }: CheckpointFiles): Source {
  const read: ReadFile = (file) => Promise.resolve(Object.hasOwn(files, file) ? files[file]! : null);
  return { folder: name, read };
}

async function openPath(path: string): Promise<Source> {
  const refuse = (rule: string, found: string): never => {
    throw new Error(`Cannot load ${printable(path)} as ${rule}: ${found}`);
  };
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) return { folder: path, read: folderReader(path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return refuse(KINDS, "there is no such file or folder");
    const [reason] = (error as Error).message.split(": ");
    return refuse(KINDS, reason!);
  }
  const slash = path.lastIndexOf("/");
  const folder = slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".";
  const file = path.slice(slash + 1);
  if (!file.endsWith(".safetensors") && !isTorchName(file)) return refuse(KINDS, "it is another file");
  return { folder, read: folderReader(folder), file };
}

async function readConfig(folder: string, read: ReadFile): Promise<ModelConfig> {
  const bytes = await read("config.json");
  if (!bytes) {
    throw new Error(`Cannot load ${printable(folder)} as config.json is required: it is missing`);
  }
  return parseConfig(new TextDecoder().decode(bytes), `${folder}/config.json`);
}

async function readWeightFile(folder: string, file: string, read: ReadFile): Promise<WeightFile> {
  const bytes = await read(file);
  if (!bytes) throw new Error(`Cannot load ${printable(folder)} as a file is missing: ${printable(file)}`);
  return weightFile(bytes, `${folder}/${file}`);
}
