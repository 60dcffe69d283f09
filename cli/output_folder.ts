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
