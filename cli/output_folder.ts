// Folders that commands write whole: all files are there, or none.
import { fileError } from "../files/atomic_file.ts";
import { printable } from "../files/printable.ts";
import { UserError } from "./user_error.ts";

/**
 * Checks that a folder can be written without overwriting anything.
 *
 * @param command name of the command, for the message
 * @param path the folder
 * @throws {UserError} it has files, or it is or is below a file
 */
export async function requireNewFolder(command: string, path: string): Promise<void> {
  const refuse = (found: string) =>
    new UserError(`Cannot ${command} as --out must be a new or empty folder: ${printable(path)} ${found}`);
  try {
    for await (const _ of Deno.readDir(path)) throw refuse("has files");
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotADirectory) throw refuse("is, or is below, a file");
    throw fileError("read", path, error);
  }
}

/**
 * Writes a folder under a temporary name and renames it.
 *
 * @param path the folder; new or empty, see {@linkcode requireNewFolder}
 * @param fill writes the files into the folder that it is given, which may not exist yet
 * @returns the result of `fill`
 */
export async function writeWholeFolder<T>(path: string, fill: (partial: string) => Promise<T>): Promise<T> {
  const partial = `${path.replace(/(?<=.)\/+$/, "")}.${Deno.pid}.partial`;
  try {
    const result = await fill(partial);
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw fileError("write", path, error);
    });
    await Deno.rename(partial, path).catch((error) => {
      throw fileError("write", path, error);
    });
    return result;
  } catch (error) {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
    throw error;
  }
}
