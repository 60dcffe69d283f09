import { fileError } from "../../files/atomic_file.ts";

/** Names of audio files. */
export const AUDIO_NAME = /\.(flac|wav|mp3|ogg|oga|opus|g722)$/i;

/**
 * What is in a folder, in the order of the names.
 *
 * @param path The folder.
 * @returns Files and folders, links followed; empty where there is no such folder.
 * @throws {Error} If it cannot be read; one line that names it.
 */
export async function readFolder(path: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
      const isFolder = isSymlink
        ? await Deno.stat(`${path}/${name}`).then((found) => found.isDirectory, () => false)
        : isDirectory;
      entries.push({ name, isFolder });
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw fileError("read", path, error);
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Names of the folders in a folder; those that are hidden are left out. */
export async function foldersIn(path: string): Promise<string[]> {
  const entries = await readFolder(path);
  return entries.filter(({ name, isFolder }) => isFolder && !name.startsWith(".")).map(({ name }) => name);
}
