/**
 * What the program keeps on disk between runs. Only folders and files that it makes itself are listed: corpora and
 * measured times in its own cache folder, and speech models in the Hugging Face cache, which other programs share.
 *
 * @module
 */
import { cacheFolder } from "../data/cache_folder.ts";
import { MODEL_TYPES } from "../model/families.ts";
import { defaultCacheFolder } from "../model/hub/cache.ts";

/** Kinds of entries, with what they are. */
export const CACHE_KINDS = {
  corpora: "synthesised corpora",
  tuning: "measured times of GEMM kernels",
  urls: "models fetched from URLs",
  partial: "unfinished corpora and downloads",
  models: "models downloaded from the hub",
} as const;

/** A kind of entry. */
export type CacheKind = keyof typeof CACHE_KINDS;

/** A folder or file in a cache. */
export interface CacheEntry {
  readonly kind: CacheKind;
  /** Name for the user: a model's name on the hub, or the name of the folder or file. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** The folders that are searched: the program's own, and that of the Hugging Face hub. */
export function cacheFolders(): { readonly own: string; readonly hub: string } {
  return { own: cacheFolder(), hub: defaultCacheFolder() };
}

/**
 * Lists the caches.
 *
 * @param folders where to look
 * @returns the entries by kind, in the order of {@linkcode CACHE_KINDS}
 */
export async function cacheEntries(
  folders: { own: string; hub: string } = cacheFolders(),
): Promise<CacheEntry[]> {
  const entries = [...await ownEntries(folders.own), ...await hubEntries(folders.hub)];
  const order = Object.keys(CACHE_KINDS);
  return entries.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
}

async function ownEntries(folder: string): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const { name, isDirectory } of await list(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory || !/^commands\d+-/.test(name)) continue;
    const kind = name.endsWith(".partial") ? "partial" : "corpora";
    entries.push({ kind, name, path, bytes: await sizeOf(path) });
  }
  for (const { name, isFile } of await list(`${folder}/gemm`)) {
    const path = `${folder}/gemm/${name}`;
    if (!isFile || !/\.(json|partial)$/.test(name)) continue;
    const kind = name.endsWith(".partial") ? "partial" : "tuning";
    entries.push({ kind, name: `gemm/${name}`, path, bytes: await sizeOf(path) });
  }
  for (const { name, isDirectory } of await list(`${folder}/urls`)) {
    const path = `${folder}/urls/${name}`;
    if (isDirectory) entries.push({ kind: "urls", name: `urls/${name}`, path, bytes: await sizeOf(path) });
  }
  return entries;
}

/** Speech models, and their unfinished downloads. */
async function hubEntries(folder: string): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const { name, isDirectory } of await list(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory || !name.startsWith("models--") || !await isSpeechModel(path)) continue;
    const id = name.slice("models--".length).replaceAll("--", "/");
    let unfinished = 0;
    for (const { name: blob, isFile } of await list(`${path}/blobs`)) {
      if (!isFile || !blob.endsWith(".incomplete")) continue;
      const bytes = await sizeOf(`${path}/blobs/${blob}`);
      unfinished += bytes;
      entries.push({ kind: "partial", name: `download of ${id}`, path: `${path}/blobs/${blob}`, bytes });
    }
    entries.push({ kind: "models", name: id, path, bytes: await sizeOf(path) - unfinished });
  }
  return entries;
}

/** Whether a commit of the model has the config of a family that the program loads. */
async function isSpeechModel(folder: string): Promise<boolean> {
  for (const { name } of await list(`${folder}/snapshots`)) {
    try {
      const config = JSON.parse(await Deno.readTextFile(`${folder}/snapshots/${name}/config.json`));
      if (MODEL_TYPES.includes(config?.model_type)) return true;
    } catch {
      // Not readable, so not a model of ours.
    }
  }
  return false;
}

/** What is in a folder; nothing where it cannot be read. Links are not followed. */
async function list(folder: string): Promise<Deno.DirEntry[]> {
  return await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
}

/** Bytes of a file, or of the files in a folder. Links count as links. */
async function sizeOf(path: string): Promise<number> {
  const { isDirectory, size } = await Deno.lstat(path);
  if (!isDirectory) return size;
  let sum = 0;
  for (const { name } of await list(path)) sum += await sizeOf(`${path}/${name}`);
  return sum;
}
