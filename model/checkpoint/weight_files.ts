import { isObject, JsonFields, printable, show } from "./json_fields.ts";
import { parseSafetensors, type Safetensors } from "./safetensors.ts";
import { readFileIfExists } from "./atomic_file.ts";

/** The weights of a model: its safetensors files, parsed. */
export interface WeightFile {
  /** What to call it in errors. */
  readonly name: string;
  /** Header as written, without its length. */
  readonly header: Uint8Array;
  /** Tensors and metadata. */
  readonly content: Safetensors;
}

/** Reads a file of a model by its name in the folder; null where there is none. */
export type ReadFile = (name: string) => Promise<Uint8Array | null>;

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * The weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
 *
 * @param folder What to call the folder in errors.
 * @param read Reads one of its files.
 * @param pickles Names of files there that would have to be unpickled, for the advice when there is nothing else.
 * @throws {SyntaxError} If a file is no safetensors, or the index no index; one line.
 * @throws {Error} If files are missing; one line, with how to convert where there is a pickle file.
 */
export async function readWeights(
  folder: string,
  read: ReadFile,
  pickles: readonly string[],
): Promise<WeightFile[]> {
  const single = await read(SINGLE);
  if (single) return [weightFile(single, `${folder}/${SINGLE}`)];
  const index = await read(INDEX);
  if (!index) throw nothingToRead(folder, pickles);
  const { names, shards } = readIndex(new TextDecoder().decode(index), `${folder}/${INDEX}`);
  const files: WeightFile[] = [];
  for (const shard of shards) {
    const bytes = await read(shard);
    if (!bytes) throw new Error(`Cannot load ${folder} as ${INDEX} names a file that is missing: ${shard}`);
    files.push(weightFile(bytes, `${folder}/${shard}`));
  }
  for (const [name, shard] of names) {
    if (!files[shards.indexOf(shard)]!.content.tensors.has(name)) {
      const found = printable(name);
      throw new SyntaxError(
        `Cannot load ${folder}/${shard} as ${INDEX} places a tensor there: ${found} is not`,
      );
    }
  }
  return files;
}

/** Parses one file of weights. @throws {SyntaxError} If it is no safetensors. */
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
    // A name with a path in it could lead out of the folder.
    if (typeof shard === "string" && /^[\w.-]+\.safetensors$/.test(shard)) return [tensor, shard];
    return fields.refuse("weight_map", "must name .safetensors files of the folder", `it has ${show(shard)}`);
  });
  return { names, shards: [...new Set(names.map(([, shard]) => shard))] };
}

function nothingToRead(folder: string, pickles: readonly string[]): Error {
  const [pickle] = pickles;
  if (pickle === undefined) {
    return new Error(
      `Cannot load ${printable(folder)} as a model needs ${SINGLE} or ${INDEX}: neither is there`,
    );
  }
  return new Error(pickleAdvice(`${folder}/${pickle}`, `${folder}/${SINGLE}`));
}

/** Names that are not opened, as doing so would run what they contain. */
export function isPickle(name: string): boolean {
  return /\.(bin|pt|pth|ckpt|pkl)$/.test(name);
}

/** One line on why a pickle file is refused, and how to convert it. */
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
  } as opening a pickle file runs code in it: convert it where you trust it, ` +
    `python3 -c "${python.replace(/[^\x20-\x7e]+/g, " ")}"`;
}

/** Reads files of a folder on disk. @param folder Its path. */
export function folderReader(folder: string): ReadFile {
  return (name) => readFileIfExists(`${folder}/${name}`);
}
