import { matchTensors } from "./match.ts";
import {
  folderReader,
  isPickle,
  pickleAdvice,
  type ReadFile,
  readWeights,
  type WeightFile,
  weightFile,
} from "./weight_files.ts";
import { type HeadKind, type ModelConfig, parseConfig } from "../config.ts";
import { printable } from "./json_fields.ts";
import type { SafetensorsEntry } from "./safetensors.ts";

/** A tensor on the host, as published: convolutions are [O, C, K]. */
export interface Weight {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** product(shape) numbers. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** A tensor of a file. */
export interface DiskTensor {
  /** Name as written. */
  readonly name: string;
  /** The model's tensors in it, one after the other along the first axis; none where it is left aside. */
  readonly keys: readonly string[];
  /** Its content where it is left aside, to be written back. */
  readonly aside: SafetensorsEntry | null;
}

/** How a checkpoint was spelled, so that it can be written back alike. */
export interface LayoutOnDisk {
  /** Tensors in the order of their bytes. */
  readonly tensors: readonly DiskTensor[];
  /** Free text of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Header of a single file, byte for byte; null if there were several, or none. */
  readonly header: Uint8Array | null;
}

/** A model on the host. */
export interface Checkpoint {
  /** Architecture; `conv_bias` is what the tensors say. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Tensors by the names of {@linkcode parameterSpecs}, whatever the file calls them. */
  readonly tensors: ReadonlyMap<string, Weight>;
  /** What the user should know about the files: a sentence each. */
  readonly notes: readonly string[];
  /** How the file spelled it. */
  readonly layoutOnDisk: LayoutOnDisk;
}

/** The files of a model in memory. */
export interface CheckpointFiles {
  /** Content by name: `config.json`, `model.safetensors` or its shards with their index. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What to call the folder in errors. */
  readonly name?: string;
}

/** Options of {@linkcode readCheckpoint}. */
export interface ReadCheckpointOptions {
  /** Architecture where there is no `config.json`, as with torchaudio's models; it wins over one that is there. */
  readonly config?: ModelConfig;
}

/** Layout of a checkpoint that was not read from files: the published one. */
export const PUBLISHED_LAYOUT: LayoutOnDisk = { tensors: [], metadata: { format: "pt" }, header: null };

/**
 * Reads a model: `config.json` with `model.safetensors`, whole or in shards, in F32, F16, BF16 or F64. Names may be
 * Hugging Face's, with or without prefix and in both spellings of weight norm, or those of torchaudio and DPHuBERT.
 * Every tensor is checked: shape, dtype, finite numbers. Where the dtype is F32 the numbers are not copied.
 *
 * @param source Path of a model folder or of a `.safetensors` file beside its `config.json`, or files in memory.
 * @param options Architecture, where the files do not say it.
 * @throws {SyntaxError} If a file cannot be parsed; like the other errors one line that names file and field.
 * @throws {TypeError} If a tensor is missing or has the wrong shape or dtype.
 * @throws {RangeError} If a weight is not finite, or the model has parts that are not supported.
 * @throws {Error} If files are missing or unreadable, or would have to be unpickled.
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
  const { folder, read, pickles, file } = typeof source === "string"
    ? await placeOf(source.replace(/(?<=.)\/+$/, ""))
    : inMemory(source);
  const config = options.config ?? await readConfig(folder, read);
  const files = file ? [await oneFile(folder, file, read)] : await readWeights(folder, read, pickles);
  const [only] = files.length === 1 ? files : [];
  const { onDisk: tensors, ...model } = matchTensors(config, files);
  const metadata = only?.content.metadata ??
    Object.assign({}, ...files.map(({ content }) => content.metadata));
  return { ...model, layoutOnDisk: { tensors, metadata, header: only?.header ?? null } };
}

interface Place {
  readonly folder: string;
  readonly read: ReadFile;
  readonly pickles: readonly string[];
  /** Name of the file of weights, where the user named one. */
  readonly file?: string;
}

function inMemory({ files, name = "the files" }: CheckpointFiles): Place {
  const read: ReadFile = (file) => Promise.resolve(Object.hasOwn(files, file) ? files[file]! : null);
  return { folder: name, read, pickles: Object.keys(files).filter(isPickle) };
}

async function placeOf(path: string): Promise<Place> {
  const refuse = (rule: string, found: string): never => {
    throw new Error(`Cannot load ${printable(path)} as ${rule}: ${found}`);
  };
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) {
      const names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
      return { folder: path, read: folderReader(path), pickles: names.filter(isPickle) };
    }
  } catch (error) {
    const [why] = (error as Error).message.split(": ");
    return refuse("a model is a folder or a .safetensors file", why!);
  }
  const at = path.lastIndexOf("/");
  const folder = at > 0 ? path.slice(0, at) : at === 0 ? "/" : ".";
  const file = path.slice(at + 1);
  if (isPickle(file)) throw new Error(pickleAdvice(path, `${folder}/model.safetensors`));
  if (!file.endsWith(".safetensors")) {
    return refuse("a model is a folder or a .safetensors file", "it is another file");
  }
  return { folder, read: folderReader(folder), pickles: [], file };
}

async function readConfig(folder: string, read: ReadFile): Promise<ModelConfig> {
  const bytes = await read("config.json");
  if (!bytes) {
    throw new Error(`Cannot load ${printable(folder)} as a model needs config.json: there is none`);
  }
  return parseConfig(new TextDecoder().decode(bytes), `${folder}/config.json`);
}

async function oneFile(folder: string, file: string, read: ReadFile): Promise<WeightFile> {
  const bytes = await read(file);
  if (!bytes) throw new Error(`Cannot load ${printable(folder)} as a file is missing: ${printable(file)}`);
  return weightFile(bytes, `${folder}/${file}`);
}
