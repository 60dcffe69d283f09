// Reads whole files and writes them atomically; every error is one line that names the path.
import { printable } from "./json_fields.ts";

/**
 * Reads a file.
 *
 * @param path Path of the file.
 * @returns Its bytes, or null if it does not exist.
 * @throws {Error} If it cannot be read; one line with the path.
 *
 * @example
 * ```ts
 * import { readFileIfExists } from "./atomic_file.ts";
 *
 * const bytes = await readFileIfExists("pruned/model.safetensors"); // null if there is none
 * ```
 */
export async function readFileIfExists(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw failure("read", path, error);
  }
}

/**
 * Writes a file atomically: to a temporary file, which is then renamed.
 *
 * @param path Path of the file; its folder must exist.
 * @param parts Bytes to concatenate; each part is written before the next is requested.
 * @throws {Error} If it cannot be written; one line with the path. An existing file is left unchanged.
 *
 * @example
 * ```ts ignore
 * import { writeFileAtomic } from "./atomic_file.ts";
 *
 * await writeFileAtomic("pruned/config.json", [new TextEncoder().encode("{}")]);
 * ```
 */
export async function writeFileAtomic(
  path: string,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const partial = `${path}.${Deno.pid}.partial`;
  const written = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw failure("write", path, error);
    }
  };
  try {
    {
      using file = await written(Deno.open(partial, { write: true, create: true, truncate: true }));
      for await (const part of parts) {
        for (let at = 0; at < part.length;) at += await written(file.write(part.subarray(at)));
      }
      await written(file.sync());
    }
    await written(Deno.rename(partial, path));
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}

function failure(action: "read" | "write", path: string, cause: unknown): Error {
  // Deno appends the call with the path: "Permission denied (os error 13): readfile '/x'".
  const why = (cause as Error).message.replace(/: \w+ '.*$/s, "");
  return new Error(`Cannot ${action} ${printable(path)} as the system refuses: ${why}`, { cause });
}
