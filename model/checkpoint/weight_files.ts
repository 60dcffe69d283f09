// Reads the weights of a model folder: safetensors or PyTorch's files, whole or in shards with an index.
import { printable } from "../../files/printable.ts";
import { isObject, JsonFields, show } from "./json_fields.ts";
import { parseSafetensors, type Safetensors } from "./safetensors.ts";
import { readFileIfExists } from "../../files/atomic_file.ts";
import { type ByteSource, openSource } from "../../files/byte_source.ts";
import { parseTorchFile } from "./torch_file.ts";
import { type EmbeddedConfig, torchaudioConfig } from "./torchaudio_config.ts";

/** A parsed weight file of a model. */
export interface WeightFile {
  /** File name for error messages. */
  readonly name: string;
  /** Header bytes of a safetensors file, without their length; null for PyTorch's. */
  readonly header: Uint8Array | null;
  /** Tensors and metadata. */
  readonly content: Safetensors;
  /** Config in the file itself, as in those of DPHuBERT; else null. */
  readonly embedded: EmbeddedConfig | null;
}

/** Reads a file of a model folder; null if it is missing. */
export type ReadFile = (name: string) => Promise<Uint8Array | null>;

/** A model folder, on disk or in memory. */
export interface ModelFolder {
  /** Its name for error messages. */
  readonly folder: string;
  /** Reads a file of it. */
  readonly read: ReadFile;
  /** Opens a file of it to read ranges; null if it is missing. */
  readonly open: (name: string) => ByteSource | null;
  /** Names of its files. */
  readonly list: () => Promise<string[]>;
}

/** Weight files of a model, in order of preference; each may be in shards instead, listed in `NAME.index.json`. */
export const WEIGHT_FILES: readonly string[] = ["model.safetensors", "pytorch_model.bin"];

/** Files of a model beside its config and weights, which may be missing. */
export const TOKENIZER_FILES: readonly string[] = [
  "preprocessor_config.json",
  "processor_config.json",
  "vocab.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
];

/**
 * Reads the weights of a model folder: the first of {@linkcode WEIGHT_FILES} that is there, whole or in shards; else its only
 * file of PyTorch.
 *
 * @returns The files; none if the folder has none of them.
 * @throws {SyntaxError} If a weight file cannot be parsed, or the index is invalid; one line.
 * @throws {Error} If shards are missing, or there are several files of PyTorch; one line.
 */
export async function readWeights(model: ModelFolder): Promise<WeightFile[]> {
  const { folder, read, list } = model;
  for (const file of WEIGHT_FILES) {
    const single = readWeightFile(model, file);
    if (single) return [single];
    const index = await read(`${file}.index.json`);
    if (index) return readShards(model, `${file}.index.json`, index);
  }
  const [only, more] = (await list()).filter(isTorchName).sort();
  if (more !== undefined) {
    const found = `it has ${printable(only!)} and ${printable(more)}`;
    throw new Error(
      `Cannot load ${printable(folder)} as its weights must be one file, or given by path: ${found}`,
    );
  }
  const file = only === undefined ? null : readWeightFile(model, only);
  return file ? [file] : [];
}

function readShards(model: ModelFolder, name: string, index: Uint8Array): WeightFile[] {
  const { folder } = model;
  const { names, shards } = readIndex(new TextDecoder().decode(index), `${folder}/${name}`);
  const files: WeightFile[] = [];
  for (const shard of shards) {
    const file = readWeightFile(model, shard);
    if (!file) throw new Error(`Cannot load ${folder} as ${name} lists a missing file: ${shard}`);
    files.push(file);
  }
  for (const [tensor, shard] of names) {
    if (!files[shards.indexOf(shard)]!.content.tensors.has(tensor)) {
      const found = printable(tensor);
      throw new SyntaxError(
        `Cannot load ${folder}/${shard} as ${name} lists a tensor of it that is missing: ${found}`,
      );
    }
  }
  return files;
}

/** Whether a file name is that of a PyTorch file. */
export function isTorchName(name: string): boolean {
  return /\.(bin|pt|pth|ckpt)$/.test(name);
}

/**
 * Reads a weight file; of one of PyTorch, only the storages of its state_dict.
 *
 * @param model The folder.
 * @param file Name of the file, which states its format.
 * @returns Null if it is missing.
 * @throws {SyntaxError} If it is not what the name states; one line.
 */
export function readWeightFile({ folder, open }: ModelFolder, file: string): WeightFile | null {
  using source = open(file);
  if (!source) return null;
  const name = `${folder}/${file}`;
  return isTorchName(file) ? torchFile(source, name) : safetensorsFile(source.read(0, source.length), name);
}

function torchFile(source: ByteSource, name: string): WeightFile {
  const { tensors, beside } = parseTorchFile(source, name);
  // The metadata that transformers requires of a safetensors file.
  const content = { tensors, metadata: { format: "pt" } };
  return { name, header: null, content, embedded: torchaudioConfig(beside.get("config"), name) };
}

function safetensorsFile(bytes: Uint8Array, name: string): WeightFile {
  const content = parseSafetensors(bytes, name);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return { name, header: bytes.slice(8, 8 + Number(length)), content, embedded: null };
}

/** Names of the shards that an index lists. @throws {SyntaxError | TypeError | RangeError} If it is invalid; one line. */
export function shardNames(index: string, name: string): string[] {
  return readIndex(index, name).shards;
}

/** Shards in order of appearance, and the shard of every tensor. */
function readIndex(text: string, name: string): { names: [string, string][]; shards: string[] } {
  const fields = new JsonFields(text, name);
  const map = fields.raw["weight_map"];
  if (!isObject(map)) return fields.fail("weight_map", "must be an object");
  const names = Object.entries(map).map(([tensor, shard]): [string, string] => {
    // A path in a name could point outside of the folder.
    if (typeof shard === "string" && /^[\w.-]+\.(safetensors|bin)$/.test(shard)) return [tensor, shard];
    const rule = "must list .safetensors or .bin files of the folder";
    return fields.refuse("weight_map", rule, `it has ${show(shard)}`);
  });
  return { names, shards: [...new Set(names.map(([, shard]) => shard))] };
}

/**
 * The folder of a model's small files, such as its vocabulary.
 *
 * @param path Path of the model's folder, or of its weight file.
 */
export async function smallFilesFolder(path: string): Promise<string> {
  const isFile = await Deno.stat(path).then((found) => found.isFile, () => false);
  return isFile ? splitPath(path).folder : path.replace(/(?<=.)\/+$/, "");
}

/** Folder and name of a file. @param path Its path. */
export function splitPath(path: string): { folder: string; file: string } {
  const slash = path.lastIndexOf("/");
  return { folder: slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".", file: path.slice(slash + 1) };
}

/** A model folder on disk. @param folder Its path. */
export function folderOnDisk(folder: string): ModelFolder {
  return {
    folder,
    read: folderReader(folder),
    open: (name) => openSource(`${folder}/${name}`),
    async list() {
      const entries = await Array.fromAsync(Deno.readDir(folder));
      return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name);
    },
  };
}

/** Returns a reader of the files of a folder. @param folder Its path. */
export function folderReader(folder: string): ReadFile {
  return (name) => readFileIfExists(`${folder}/${name}`);
}
