// Reads JSON Lines files, which manifests and SLURP have in common: a row is a JSON object in a line.
import { readFolder } from "./folders.ts";
import { forEachLine, readLines, refuseLine, type TextLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { OnError, Task, Utterance } from "./utterance.ts";
import { UtteranceList } from "./utterance_list.ts";

/** A row with its position. */
export interface Row {
  /** Position for errors: `path:12`. */
  readonly at: string;
  /** The object, unchecked. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The JSON Lines files of a folder.
 *
 * @returns Paths by name, without `.jsonl`; empty if the folder does not exist.
 */
export async function findJsonl(folder: string): Promise<Map<string, string>> {
  const names = (await readFolder(folder)).map(({ name }) => name).filter((name) => name.endsWith(".jsonl"));
  return new Map(names.map((name) => [name.replace(/\.jsonl$/, ""), `${folder}/${name}`]));
}

/** How {@linkcode readJsonl} reads a file. */
export interface JsonlReader {
  /** An utterance that repeats the audio and the label of this task is used once. */
  readonly task: Task;
  /** Receives the error of a line that is not JSON, that `utterancesOf` refuses, or whose id is not unique. */
  readonly onError: OnError;
  /** Reads the utterances of a row. */
  utterancesOf(row: Row): Iterable<Utterance>;
}

/**
 * Reads the utterances of a JSON Lines file. In the published SLURP, some recordings belong to two sentences of one class.
 *
 * @param path Path of the file.
 * @param reader Task, reader of a row, and errors.
 * @throws {Error} What `onError` throws, or if the file cannot be read.
 */
export async function readJsonl(
  path: string,
  { task, onError, utterancesOf }: JsonlReader,
): Promise<Utterance[]> {
  const utterances = new UtteranceList(task, onError);
  forEachLine(await readLines(path), onError, (line) => {
    for (const utterance of utterancesOf(parseRow(line))) utterances.add(utterance, line.at);
  });
  return utterances.all;
}

/** Parses a line. @throws {SyntaxError} If it is not a JSON object. */
export function parseRow({ at, text }: TextLine): Row {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    return refuseLine(at, "it must be JSON", (error as Error).message);
  }
  if (isObject(fields)) return { at, fields };
  return refuseLine(at, "it must be a JSON object", shorten(text));
}

/** Whether a JSON value is an object and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A text field of a row.
 *
 * @returns The text, or undefined if the field is missing, null or empty.
 * @throws {SyntaxError} If it is not text.
 */
export function textField({ at, fields }: Row, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  return refuseLine(at, `${name} must be text`, shorten(JSON.stringify(value)));
}

/** The transcript of a row, as {@linkcode textField}, but an empty one is kept: an utterance without speech. */
export function transcriptField(row: Row, name: string): string | undefined {
  return row.fields[name] === "" ? "" : textField(row, name);
}

/**
 * An utterance of a row, with speaker and duration where the row has them.
 *
 * @param row Row or part of a row with `speaker` and `seconds` or `duration`.
 * @param task The label that this task needs must be there.
 * @param utterance Id, audio and labels.
 * @throws {SyntaxError} If the transcript or the class that the task needs is missing.
 */
export function utteranceOf(
  row: Row,
  task: Task,
  { text, intent, ...rest }: Pick<Utterance, "id" | "audio" | "segment"> & {
    readonly text: string | undefined;
    readonly intent: string | undefined;
  },
): Utterance {
  if (task === "asr" && text === undefined) {
    refuseLine(row.at, "speech recognition needs a transcript", `${rest.id} has none`);
  }
  if (task === "slu" && !intent) refuseLine(row.at, "understanding needs a class", `${rest.id} has none`);
  const speaker = textField(row, "speaker");
  const { seconds = row.fields.duration } = row.fields as { seconds?: unknown };
  if (seconds === 0) {
    throw new OddRow(
      "length",
      { name: rest.id, at: row.at },
      "an utterance must have a length",
      "it lasts 0 s",
    );
  }
  return {
    ...rest,
    ...text !== undefined && { text },
    ...intent && { intent },
    ...speaker && { speaker },
    ...typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0 && { seconds },
  };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
