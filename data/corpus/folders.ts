// Lists the folders of a corpus, and finds the files that a list names.
import { fileError } from "../../files/atomic_file.ts";
import { OddRow } from "./odd_rows.ts";

/** Matches names of audio files. */
export const AUDIO_NAME = /\.(flac|wav|aiff?|aifc|sph|mp3|ogg|oga|opus|g722)$/i;

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

/** Whether there is a file of this path. */
export function isFile(path: string): Promise<boolean> {
  return Deno.stat(path).then((found) => found.isFile, () => false);
}

/** Folder of a file. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
}

/** Finds the audio files that a list names. Each is looked for once. */
export class AudioFinder {
  readonly #folders: readonly string[];
  readonly #sizes = new Map<string, number | null>();

  /** @param folders What a relative path may be relative to, in order. */
  constructor(...folders: readonly string[]) {
    this.#folders = folders;
  }

  /**
   * Finds a file.
   *
   * @param file Path, absolute or relative.
   * @param place The row that names it, for errors.
   * @returns Path of the file.
   * @throws {OddRow} If it does not exist or has no samples.
   */
  find(file: string, place: { readonly name: string; readonly at: string }): string {
    const isAbsolute = /^([/\\]|[A-Za-z]:[/\\])/.test(file);
    const paths = isAbsolute ? [file] : this.#folders.map((folder) => `${folder}/${file}`);
    for (const path of paths) {
      const size = this.#sizeOf(path);
      if (size === 0) throw new OddRow("length", place, "audio must have samples", `${path} has none`);
      if (size !== null) return path;
    }
    throw new OddRow("audio", place, "every utterance needs its audio", `there is no file ${paths[0]}`);
  }

  /** Bytes of a file, 0 for the header of a WAV file alone; null if there is none. */
  #sizeOf(path: string): number | null {
    let size = this.#sizes.get(path);
    if (size === undefined) {
      size = statSize(path);
      this.#sizes.set(path, size);
    }
    return size;
  }
}

const WAV_HEADER = 44; // bytes

// Synchronous, which is ten times as fast for the thousands of files of a corpus.
function statSize(path: string): number | null {
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) return null;
    return size === WAV_HEADER && Deno.readTextFileSync(path).startsWith("RIFF") ? 0 : size;
  } catch {
    return null;
  }
}
