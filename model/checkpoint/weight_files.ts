// Reads the weights of a model folder: safetensors or PyTorch's files, whole or in shards with an index.
import { printable } from "../../files/printable.ts";
import { isObject, JsonFields, show } from "./json_fields.ts";
import { parseSafetensors, type Safetensors } from "./safetensors.ts";
import { readFileIfExists } from "../../files/atomic_file.ts";
import { parseTorchFile } from "./torch_file.ts";

/** A parsed weight file of a model. */
export interface WeightFile {
  /** File name for error messages. */
  readonly name: string;
  /** Header bytes of a safetensors file, without their length; null for PyTorch's. */
  readonly header: Uint8Array | null;
  /** Tensors and metadata. */
  readonly content: Safetensors;
}

/** Reads a file of a model folder; null if it is missing. */
export type ReadFile = (name: string) => Promise<Uint8Array | null>;

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
 * Reads the weights of a model folder: the first of {@linkcode WEIGHT_FILES} that is there, whole or in shards.
 *
 * @param folder Folder name for error messages.
 * @param read Reads a file of the folder.
 * @throws {SyntaxError} If a weight file cannot be parsed, or the index is invalid; one line.
 * @throws {Error} If files are missing; one line.
 */
export async function readWeights(folder: string, read: ReadFile): Promise<WeightFile[]> {
  for (const file of WEIGHT_FILES) {
    const single = await read(file);
    if (single) return [weightFile(single, `${folder}/${file}`)];
    const index = await read(`${file}.index.json`);
    if (index) return await readShards(folder, `${file}.index.json`, index, read);
  }
  const [first, second] = WEIGHT_FILES;
  throw new Error(`Cannot load ${printable(folder)} as ${first} or ${second} is required: both are missing`);
}

async function readShards(
  folder: string,
  name: string,
  index: Uint8Array,
  read: ReadFile,
): Promise<WeightFile[]> {
  const { names, shards } = readIndex(new TextDecoder().decode(index), `${folder}/${name}`);
  const files: WeightFile[] = [];
  for (const shard of shards) {
    const bytes = await read(shard);
    if (!bytes) throw new Error(`Cannot load ${folder} as ${name} lists a missing file: ${shard}`);
    files.push(weightFile(bytes, `${folder}/${shard}`));
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

/** Parses a weight file, by its name. @throws {SyntaxError} If it is not what the name states. */
export function weightFile(bytes: Uint8Array, name: string): WeightFile {
  if (isTorchName(name)) {
    // The metadata that transformers requires of a safetensors file.
    return {
      name,
      header: null,
      content: { tensors: parseTorchFile(bytes, name).tensors, metadata: { format: "pt" } },
    };
  }
  const content = parseSafetensors(bytes, name);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return { name, header: bytes.slice(8, 8 + Number(length)), content };
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

/** Returns a reader of the files of a folder. @param folder Its path. */
export function folderReader(folder: string): ReadFile {
  return (name) => readFileIfExists(`${folder}/${name}`);
}
