import { UserError } from "./user_error.ts";

/**
 * A path among the operands, taken from where the user stands: a task runs in the folder of deno.json, and INIT_CWD
 * tells the other one.
 */
export function fromUser(path: string): string {
  if (/^([/\\]|[A-Za-z]:[/\\])/.test(path)) return path;
  return `${Deno.env.get("INIT_CWD") ?? Deno.cwd()}/${path}`;
}

/**
 * Does work on files of the user's. What the library says of them, in its sentence "Cannot … as …: …", is a mistake of
 * the user's; any other error is a fault of the program.
 *
 * @param work what to do
 * @returns what it returns
 * @throws {UserError} a file is missing, unreadable or wrong
 */
export async function onFiles<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    if (!/^Cannot .+ as .+: /s.test(error.message)) throw error;
    throw new UserError(error.message, { cause: error });
  }
}
