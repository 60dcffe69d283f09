// Reads whole files and writes them atomically; every error is one line that names the path.
import { printableName } from "./printable.ts";

/**
 * Reads a file.
 *
 * @param path Path of the file.
 * @returns Its bytes, or null if it does not exist.
 * @throws {Error} If it cannot be read; one line that names the path.
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
    throw fileError("read", path, error);
  }
}

/** Options of {@linkcode writeFileAtomic}. */
export interface WriteFileOptions {
  /**
   * Whether to flush to disk before the rename, so that the file is complete even after a power failure. Default true;
   * thousands of small files are written much faster without.
   */
  readonly flush?: boolean;
}

/**
 * Writes a file atomically: to a temporary file, which is then renamed.
 *
 * @param path Path of the file; its folder must exist.
 * @param content Text or bytes, or bytes in parts; each part is written before the next is requested.
 * @param options Whether to flush.
 * @throws {Error} If it cannot be written; one line that names the path. An existing file is left unchanged.
 *
 * @example
 * ```ts ignore
 * import { writeFileAtomic } from "./atomic_file.ts";
 *
 * await writeFileAtomic("pruned/config.json", "{}\n");
 * ```
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { flush = true }: WriteFileOptions = {},
): Promise<void> {
  const partial = `${path}.${Deno.pid}.partial`;
  const written = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw fileError("write", path, error);
    }
  };
  const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    {
      using file = await written(Deno.open(partial, { write: true, create: true, truncate: true }));
      for await (const part of whole instanceof Uint8Array ? [whole] : whole) {
        for (let at = 0; at < part.length;) at += await written(file.write(part.subarray(at)));
      }
      if (flush) await written(file.sync());
    }
    await written(Deno.rename(partial, path));
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}

/**
 * Creates a folder and its parents, if they do not exist.
 *
 * @param path The folder.
 * @throws {Error} If the system refuses; one line that names the path.
 */
export async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true }).catch((error) => {
    throw fileError("make", path, error);
  });
}

/**
 * An error of the system as one line: `Cannot write /x as the system refuses: No space left on device`.
 *
 * @param action What could not be done: `read`, `write`, `make`, `remove`.
 * @param path With which file or folder.
 * @param cause The system's error.
 */
export function fileError(action: string, path: string, cause: unknown): Error {
  // Deno appends the call with the path: "Permission denied (os error 13): open '/x'".
  const why = (cause as Error).message.replace(/: \w+ '.*$/s, "");
  return new Error(`Cannot ${action} ${printableName(path)} as the system refuses: ${why}`, { cause });
}
