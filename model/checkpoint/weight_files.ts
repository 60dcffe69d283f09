// Reads the safetensors files of a model folder: one file, or shards with an index.
import { isObject, JsonFields, printable, show } from "./json_fields.ts";
import { parseSafetensors, type Safetensors } from "./safetensors.ts";
import { readFileIfExists } from "./atomic_file.ts";

/** A parsed safetensors file of a model. */
export interface WeightFile {
  /** File name for error messages. */
  readonly name: string;
  /** Header bytes as in the file, without their length. */
  readonly header: Uint8Array;
  /** Tensors and metadata. */
  readonly content: Safetensors;
}

/** Reads a file of a model folder; null if it is missing. */
export type ReadFile = (name: string) => Promise<Uint8Array | null>;

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * Reads the weights of a model folder: `model.safetensors`, or the shards listed in `model.safetensors.index.json`.
 *
 * @param folder Folder name for error messages.
 * @param read Reads a file of the folder.
 * @param pickles Names of the pickle files in the folder. If there is nothing else, the error shows how to convert them.
 * @throws {SyntaxError} If a file is not safetensors, or the index is invalid; one line.
 * @throws {Error} If files are missing; one line, with the conversion of a pickle file.
 */
export async function readWeights(
  folder: string,
  read: ReadFile,
  pickles: readonly string[],
): Promise<WeightFile[]> {
  const single = await read(SINGLE);
  if (single) return [weightFile(single, `${folder}/${SINGLE}`)];
  const index = await read(INDEX);
  if (!index) throw missingWeights(folder, pickles);
  const { names, shards } = readIndex(new TextDecoder().decode(index), `${folder}/${INDEX}`);
  const files: WeightFile[] = [];
  for (const shard of shards) {
    const bytes = await read(shard);
    if (!bytes) throw new Error(`Cannot load ${folder} as ${INDEX} lists a missing file: ${shard}`);
    files.push(weightFile(bytes, `${folder}/${shard}`));
  }
  for (const [name, shard] of names) {
    if (!files[shards.indexOf(shard)]!.content.tensors.has(name)) {
      const found = printable(name);
      throw new SyntaxError(
        `Cannot load ${folder}/${shard} as ${INDEX} lists a tensor of it that is missing: ${found}`,
      );
    }
  }
  return files;
}

/** Parses a weight file. @throws {SyntaxError} If it is not safetensors. */
export function weightFile(bytes: Uint8Array, name: string): WeightFile {
  const content = parseSafetensors(bytes, name);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return { name, header: bytes.slice(8, 8 + Number(length)), content };
}

/** Shards in order of appearance, and the shard of every tensor. */
function readIndex(text: string, name: string): { names: [string, string][]; shards: string[] } {
  const fields = new JsonFields(text, name);
  const map = fields.raw["weight_map"];
  if (!isObject(map)) return fields.fail("weight_map", "must be an object");
  const names = Object.entries(map).map(([tensor, shard]): [string, string] => {
    // A path in a name could point outside of the folder.
    if (typeof shard === "string" && /^[\w.-]+\.safetensors$/.test(shard)) return [tensor, shard];
    return fields.refuse("weight_map", "must list .safetensors files of the folder", `it has ${show(shard)}`);
  });
  return { names, shards: [...new Set(names.map(([, shard]) => shard))] };
}

function missingWeights(folder: string, pickles: readonly string[]): Error {
  const [pickle] = pickles;
  if (pickle === undefined) {
    return new Error(
      `Cannot load ${printable(folder)} as ${SINGLE} or ${INDEX} is required: both are missing`,
    );
  }
  return new Error(pickleAdvice(`${folder}/${pickle}`, `${folder}/${SINGLE}`));
}

/** Whether a file is a pickle, which can run code when it is loaded. */
export function isPickle(name: string): boolean {
  return /\.(bin|pt|pth|ckpt|pkl)$/.test(name);
}

/** One line: why a pickle file is refused, and how to convert it. */
export function pickleAdvice(pickle: string, target: string): string {
  const python = [
    "import torch",
    "from safetensors.torch import save_file",
    `w=torch.load('${pickle}',map_location='cpu',weights_only=True)`,
    "w=w.get('state_dict',w)",
    `save_file({k:v.contiguous() for k,v in w.items()},'${target}',{'format':'pt'})`,
  ].join("; ");
  return `Cannot load ${
    printable(pickle)
  } as loading a pickle file can run code: if you trust it, convert it with ` +
    `python3 -c "${python.replace(/[^\x20-\x7e]+/g, " ")}"`;
}

/** Returns a reader of the files of a folder. @param folder Its path. */
export function folderReader(folder: string): ReadFile {
  return (name) => readFileIfExists(`${folder}/${name}`);
}
