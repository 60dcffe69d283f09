// Folders that are made by one process at a time, completely or not at all.
import { fileError } from "./atomic_file.ts";
import { acquireLock } from "./lock.ts";

/** Name of the file by which a run holds its folder. */
export const FOLDER_LOCK = "espalier.lock";

/**
 * Makes a new folder under a temporary name beside it, `PATH.partial`, which is then renamed. One process at a time may:
 * another one is refused. What a killed one left is removed.
 *
 * @param path The folder; it must not exist, or be empty. Nothing is overwritten.
 * @param work Writes the files into the folder that it is given, which does not exist.
 * @returns The result of `work`.
 * @throws {Error} What `work` throws, or if another process makes the folder; one line that names it.
 *
 * @example
 * ```ts ignore
 * await writeWholeFolder("digits", async (folder) => {
 *   await makeFolder(folder);
 *   await writeFileAtomic(`${folder}/one.txt`, "1");
 * });
 * ```
 */
export async function writeWholeFolder<T>(path: string, work: (partial: string) => Promise<T>): Promise<T> {
  const folder = withoutSlash(path);
  using _lock = await acquireLock(`${folder}.lock`, { target: folder });
  const partial = `${folder}.partial`;
  const remove = () => Deno.remove(partial, { recursive: true }).catch(() => {});
  await remove();
  try {
    const result = await work(partial);
    await Deno.remove(folder).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw fileError("write", folder, error);
    });
    await Deno.rename(partial, folder).catch((error) => {
      throw fileError("write", folder, error);
    });
    return result;
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Makes a folder that a run writes to, unless it exists, and locks it. A folder that was made for the lock and is still
 * empty is removed with it.
 *
 * @param folder The folder.
 * @returns The lock.
 * @throws {Error} If another process writes to the folder, or the system refuses; one line that names it.
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  const existed = await Deno.stat(folder).then(() => true, () => false);
  const lock = await acquireLock(`${folder}/${FOLDER_LOCK}`, { target: folder });
  return {
    [Symbol.dispose]() {
      lock[Symbol.dispose]();
      if (existed) return;
      try {
        Deno.removeSync(folder);
      } catch {
        // It has files.
      }
    },
  };
}

/** A path without slashes at its end. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}
