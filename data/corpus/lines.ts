// Reads text files line by line, with errors that name the file and the line.
import { fileError } from "../../files/atomic_file.ts";
import type { OnError } from "./utterance.ts";

/** A line of a text file. */
export interface TextLine {
  /** Position for errors: `path:12`. */
  readonly at: string;
  /** The line without surrounding space. */
  readonly text: string;
}

/**
 * The lines of a text file that are not blank.
 *
 * @param path Path of a file in UTF-8.
 * @throws {Error} If it cannot be read; one line that names the path.
 */
export async function readLines(path: string): Promise<TextLine[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw fileError("read", path, error);
  });
  return text.replace(/^\uFEFF/, "").split("\n")
    .map((line, i) => ({ at: `${path}:${i + 1}`, text: line.trim() }))
    .filter((line) => line.text !== "");
}

/**
 * Processes each line; errors go to `onError`.
 *
 * @throws {Error} What `onError` throws.
 */
export async function forEachLine(
  lines: readonly TextLine[],
  onError: OnError,
  work: (line: TextLine) => void | Promise<void>,
): Promise<void> {
  for (const line of lines) {
    try {
      await work(line);
    } catch (error) {
      onError(error as Error);
    }
  }
}

/** An error in a line or a file of a corpus: "Cannot read FILE:LINE as RULE: FOUND". */
export function lineError(at: string, rule: string, found: string): SyntaxError {
  return new SyntaxError(`Cannot read ${escaped(at)} as ${rule}: ${escaped(found.replace(/\s+/g, " "))}`);
}

/**
 * Text of a corpus, such as a name or an id, for a message: characters that control a terminal or change the direction
 * of text are escaped, `\\x1b`. The content of a corpus is not trusted.
 */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  });
}

/**
 * Refuses a line of a corpus.
 *
 * @throws {SyntaxError} Always: {@linkcode lineError}.
 */
export function refuseLine(at: string, rule: string, found: string): never {
  throw lineError(at, rule, found);
}
