// Lists the folders of a corpus.
import { fileError } from "../../files/atomic_file.ts";

/** Matches names of audio files. */
export const AUDIO_NAME = /\.(flac|wav|sph|mp3|ogg|oga|opus|g722)$/i;

/**
 * The entries of a folder, sorted by name, without the AppleDouble files `._NAME` that macOS leaves beside others.
 *
 * @param path Path of the folder.
 * @returns Files and folders, symbolic links followed; empty if the folder does not exist.
 * @throws {Error} If it cannot be read; one line that names the path.
 */
export async function readFolder(path: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
      if (name.startsWith("._")) continue;
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

/** Names of the folders in a folder, except hidden ones. */
export async function foldersIn(path: string): Promise<string[]> {
  const entries = await readFolder(path);
  return entries.filter(({ name, isFolder }) => isFolder && !name.startsWith(".")).map(({ name }) => name);
}
