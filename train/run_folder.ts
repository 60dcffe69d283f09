// The folder that a run writes to: one run at a time, and what a killed one left in it.
import { fileError } from "../files/atomic_file.ts";
import { FOLDER_LOCK, lockFolder } from "../files/whole_folder.ts";

/** What a run has written before there is anything to resume from. */
export interface EarlyFiles {
  /** Folder that it makes first, empty until there is something to resume from. */
  readonly folder: string;
  /** Other files, which a new run writes again. */
  readonly files: readonly string[];
}

/**
 * Takes a folder for a run, new or resumed: no other process may write to it until the result is disposed, or this process
 * ends. Unfinished files of a killed process are removed.
 *
 * @param out The folder; it is made. If it is empty in the end, it is removed.
 * @throws {Error} If another run has it, or the system refuses; one line that names the folder and the process.
 */
export async function claimRunFolder(out: string): Promise<Disposable> {
  const lock = await lockFolder(out);
  try {
    await removePartials(out);
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Whether a claimed folder can take a new run: it is empty, or has only what a run left that was killed before there was
 * anything to resume from. That is removed.
 *
 * @param out The folder.
 * @param early What such a run leaves.
 */
export async function isFreeForRun(out: string, { folder, files }: EarlyFiles): Promise<boolean> {
  const names = await namesIn(out);
  if (names.length === 0) return true;
  const known = names.every((name) => name === folder || files.includes(name));
  if (!known || !await isEmptyFolder(`${out}/${folder}`)) return false;
  // The folder last, so that a process that is killed here leaves the same again.
  for (const name of [...names.filter((name) => name !== folder), folder]) {
    await Deno.remove(`${out}/${name}`).catch((error) => {
      throw fileError("remove", `${out}/${name}`, error);
    });
  }
  return true;
}

async function isEmptyFolder(path: string): Promise<boolean> {
  const isFolder = await Deno.lstat(path).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder && (await namesIn(path)).length === 0;
}

/** Names in a folder, but for its lock. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).filter((name) => name !== FOLDER_LOCK);
}

/** Removes the temporary files and folders of {@linkcode writeFileAtomic} and of states. */
async function removePartials(folder: string): Promise<void> {
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(folder)).catch(() => [])) {
    const path = `${folder}/${name}`;
    if (/\.\d+\.partial$/.test(name)) await Deno.remove(path, { recursive: true }).catch(() => {});
    else if (isDirectory) await removePartials(path);
  }
}
