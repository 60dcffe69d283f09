import { fileError } from "../../files/atomic_file.ts";

/** Is told what is wrong with a corpus; whoever does not throw gets the clips that are sound. */
export type OnFault = (fault: Error) => void;

/** A line of a text file. */
export interface TextLine {
  /** Where it is, for errors: `path:12`. */
  readonly at: string;
  /** The line. */
  readonly text: string;
}

/**
 * The lines of a text file that are not blank, without the space around them.
 *
 * @param path File in UTF-8.
 * @throws {Error} If it cannot be read; one line that names it.
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
 * The object that stands in a line of a JSONL file.
 *
 * @throws {SyntaxError} If it is no JSON, or no object.
 */
export function readRow({ at, text }: TextLine): Readonly<Record<string, unknown>> {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    return refuseLine(at, "it must be JSON", (error as Error).message);
  }
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
  return refuseLine(at, "it must be a JSON object", shorten(text));
}

/**
 * A field of a row that holds text.
 *
 * @returns The text, or undefined where it is missing, null or empty.
 * @throws {SyntaxError} If it is something else.
 */
export function textField(
  at: string,
  row: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = row[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  return refuseLine(at, `${name} must be text`, shorten(JSON.stringify(value)));
}

/** A field of a row that holds a length in seconds; undefined where it is missing or none. */
export function secondsField(row: Readonly<Record<string, unknown>>): number | undefined {
  const { seconds } = row as { seconds?: unknown };
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/**
 * Does something with each line; what it throws goes to `onFault`.
 *
 * @throws {Error} What `onFault` throws.
 */
export async function forEachLine(
  lines: readonly TextLine[],
  onFault: OnFault,
  work: (line: TextLine) => void | Promise<void>,
): Promise<void> {
  for (const line of lines) {
    try {
      await work(line);
    } catch (error) {
      onFault(error as Error);
    }
  }
}

/** What is wrong with a line of a corpus, or a file: "Cannot read FILE:LINE as RULE: FOUND". */
export function faultOf(at: string, rule: string, found: string): SyntaxError {
  return new SyntaxError(`Cannot read ${at} as ${rule}: ${found.replace(/\s+/g, " ")}`);
}

/**
 * Complains about a line of a corpus.
 *
 * @throws {SyntaxError} Always: {@linkcode faultOf}.
 */
export function refuseLine(at: string, rule: string, found: string): never {
  throw faultOf(at, rule, found);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
