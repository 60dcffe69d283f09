import { cacheFolder } from "../data/cache_folder.ts";
import { makeFolder, writeFileAtomic } from "../files/atomic_file.ts";
import { acquireLock } from "../files/lock.ts";
import { fetchFiles, type FetchOptions } from "../model/inference/fetch_files.ts";
import { waitFor } from "./stderr.ts";

/** Whether a model is given by a URL. */
export function isUrl(model: string): boolean {
  return /^https?:\/\//.test(model);
}

/**
 * Fetches a model from a URL into the program's cache. It is fetched each time, as the files behind a URL can change.
 *
 * @param url folder of the model, http or https
 * @param options progress, and language
 * @returns path of the folder in the cache
 * @throws {Error} the server fails, or config or weights are missing; one line
 */
export async function fetchedModel(
  url: string,
  options: FetchOptions,
): Promise<string> {
  const { files } = await fetchFiles(new URL(url), options);
  const folder = await folderOfUrl(url);
  using _lock = await acquireLock(`${folder}.lock`, {
    target: folder,
    onWait: waitFor("writes the same model"),
  });
  await makeFolder(folder);
  for (const { name } of await Array.fromAsync(Deno.readDir(folder))) {
    if (!Object.hasOwn(files, name)) await Deno.remove(`${folder}/${name}`);
  }
  for (const [name, bytes] of Object.entries(files)) await writeFileAtomic(`${folder}/${name}`, [bytes]);
  return folder;
}

/** Folder in the cache of a model that is given by a URL. */
export async function folderOfUrl(url: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
  return `${cacheFolder()}/urls/${new Uint8Array(digest).toHex().slice(0, 16)}`;
}
