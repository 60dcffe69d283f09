/**
 * Writes a file whole or not at all, as far as the end of the process goes: under another name first, then renamed.
 *
 * @param path Where to; its folder must be there.
 * @param content Bytes or text.
 * @throws {Error} If the system refuses; one line that names the path.
 *
 * @example
 * ```ts ignore
 * await writeFile("corpus.json", "{}\n");
 * ```
 */
export async function writeFile(path: string, content: Uint8Array | string): Promise<void> {
  const partial = `${path}.${Deno.pid}.partial`;
  try {
    await (typeof content === "string"
      ? Deno.writeTextFile(partial, content)
      : Deno.writeFile(partial, content));
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw refused("write", path, error);
  }
}

/**
 * Makes a folder and those above it, where they are missing.
 *
 * @throws {Error} If the system refuses; one line that names the path.
 */
export async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true }).catch((error) => {
    throw refused("make", path, error);
  });
}

/** An error of the system as one line: `Cannot write /x as the system refuses: No space left on device`. */
export function refused(action: string, path: string, cause: unknown): Error {
  // Deno appends the call with the path: "Permission denied (os error 13): open '/x'".
  const why = (cause as Error).message.replace(/: \w+ '.*$/s, "");
  return new Error(`Cannot ${action} ${path} as the system refuses: ${why}`, { cause });
}
