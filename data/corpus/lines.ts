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

// Longest line that is read, in characters.
const MAX_LINE = 2 ** 24;

/**
 * The lines of a text file as they are, blank ones too, in bounded memory.
 *
 * @param path Path of a file in UTF-8.
 * @throws {SyntaxError} If a line is longer than 2^24 characters.
 * @throws {Error} If it cannot be read; one line that names the path.
 */
export async function* streamLines(path: string): AsyncGenerator<TextLine> {
  const attempt = <T>(work: Promise<T>) =>
    work.catch((error) => {
      throw fileError("read", path, error);
    });
  using file = await attempt(Deno.open(path));
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(2 ** 20);
  let number = 0;
  let rest = "";
  for (let count: number | null = 0; count !== null;) {
    count = await attempt(file.read(chunk));
    rest += decoder.decode(chunk.subarray(0, count ?? 0), { stream: count !== null });
    const lines = rest.split("\n");
    rest = count === null ? "" : lines.pop()!;
    for (const text of lines) {
      number++;
      if (count !== null || text !== "") yield { at: `${path}:${number}`, text: text.replace(/\r$/, "") };
    }
    if (rest.length > MAX_LINE) {
      refuseLine(`${path}:${number + 1}`, `a line may have ${MAX_LINE} characters`, "it has more");
    }
  }
}

/**
 * Processes each line; errors go to `onError`.
 *
 * @throws {Error} What `onError` throws.
 */
export function forEachLine<L>(
  lines: readonly L[],
  onError: OnError,
  work: (line: L) => void,
): void {
  for (const line of lines) {
    try {
      work(line);
    } catch (error) {
      onError(error as Error);
    }
  }
}

/**
 * Processes each row until `work` returns false; errors go to `onError`.
 *
 * @throws {Error} What `onError` throws, or reading.
 */
export async function forEachRow<R>(
  rows: AsyncIterable<R>,
  onError: OnError,
  work: (row: R) => boolean,
): Promise<void> {
  for await (const row of rows) {
    try {
      if (!work(row)) return;
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
