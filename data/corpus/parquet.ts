// Finds the Parquet files of Hugging Face's data sets. They are read by another module, on first use.
import { foldersIn, isFile, readFolder } from "./folders.ts";
import { subsetOfSplit } from "./splits.ts";
import type { ReadOptions, Utterance } from "./utterance.ts";

/** Name of the layout for errors. */
export const layoutName = "SUBSET-00000-of-N.parquet as a data set of Hugging Face";

// Folders are searched so deep: CONFIG/SPLIT/0000.parquet.
const DEPTH = 2;

/**
 * Finds the Parquet files of a data set: `SPLIT-00000-of-00002.parquet`, `SPLIT.parquet` or `SPLIT/0000.parquet`, in the
 * folder, in its folder `data`, or in one for each configuration.
 *
 * @param dir The folder, or a file.
 * @returns Names of the subsets, by themselves, with the configuration before the split if there are several; empty if
 * there are no such files.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  return new Map([...(await findShards(dir)).keys()].map((name) => [name, name]));
}

/**
 * Reads a subset; see `readShards`.
 *
 * @param dir The folder, or a file.
 * @param name Name of the subset.
 * @param options Task, number of utterances, and where errors go.
 */
export async function readSubset(dir: string, name: string, options: ReadOptions): Promise<Utterance[]> {
  const { readShards } = await loadReader();
  return await readShards((await findShards(dir)).get(name)!, options);
}

// Not a literal: Deno fetches the packages of a literal import when any command starts.
const READER: string = "./parquet_rows.ts";

/** Loads the module that reads Parquet files, with its packages. */
export async function loadReader(): Promise<typeof import("./parquet_rows.ts")> {
  return await import(READER);
}

/** Paths of the files of each subset, in order. */
async function findShards(dir: string): Promise<Map<string, string[]>> {
  if (/\.parquet$/.test(dir) && await isFile(dir)) return new Map([["", [dir]]]);
  const found = await filesBelow(dir, [], DEPTH);
  const several = new Set(found.map(({ config }) => config)).size > 1;
  const subsets = new Map<string, string[]>();
  for (const { config, split, path } of found) {
    const subset = subsetOfSplit(split);
    const name = several && config !== "" ? `${config}/${subset}` : subset;
    subsets.set(name, [...subsets.get(name) ?? [], path]);
  }
  return subsets;
}

interface Shard {
  readonly config: string;
  readonly split: string;
  readonly path: string;
}

async function filesBelow(dir: string, folders: readonly string[], depth: number): Promise<Shard[]> {
  const found: Shard[] = [];
  for (const { name, isFolder } of await readFolder(dir)) {
    if (!isFolder && name.endsWith(".parquet")) {
      found.push({ ...placeOf(name.slice(0, -".parquet".length), folders), path: `${dir}/${name}` });
    }
  }
  for (const folder of depth > 0 ? await foldersIn(dir) : []) {
    found.push(...await filesBelow(`${dir}/${folder}`, [...folders, folder], depth - 1));
  }
  return found;
}

/** Configuration and split of a file, by its name or that of its folder. */
function placeOf(stem: string, folders: readonly string[]): Pick<Shard, "config" | "split"> {
  const [, split] = /^(.+?)(?:-\d{5}-of-\d{5}.*)?$/.exec(stem)!;
  const isNumber = /^\d+$/.test(stem);
  const above = folders.filter((folder) => folder !== "data");
  return isNumber
    ? { config: above.slice(0, -1).join("/"), split: above.at(-1) ?? "" }
    : { config: above.join("/"), split: split! };
}
