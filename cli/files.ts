import { HubError } from "../model/hub/cache.ts";
import { UserError } from "./user_error.ts";

/**
 * A path among the operands, relative to the user's folder: a task of deno.json runs in the folder of that file, and
 * INIT_CWD holds the user's.
 */
export function fromUser(path: string): string {
  return absolutePath(path, Deno.env.get("INIT_CWD") ?? Deno.cwd());
}

/** A path relative to a folder as an absolute path. */
export function absolutePath(path: string, folder: string): string {
  if (/^([/\\]|[A-Za-z]:[/\\])/.test(path)) return path;
  return path === "." ? folder : `${folder}/${path.replace(/^(\.\/+)+(?=.)/, "")}`;
}

/**
 * Works on the user's files. An error of the library about them, `Cannot … as …: …`, becomes a user error, as one of the
 * hub does; any other error is a defect of the program.
 *
 * @param work reads or writes files
 * @returns its result
 * @throws {UserError} a file is missing, unreadable or wrong
 */
export async function onFiles<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    if (!(error instanceof HubError) && !/^Cannot .+ as .+: /s.test(error.message)) throw error;
    throw new UserError(error.message, { cause: error });
  }
}
