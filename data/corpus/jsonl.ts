// Reads JSON Lines files, which manifests and SLURP have in common: a row is a JSON object in a line.
import { readFolder } from "./folders.ts";
import { escaped, forEachLine, readLines, refuseLine, type TextLine } from "./lines.ts";
import type { OnError, OnNote, Task, Utterance } from "./utterance.ts";

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
  /** Receives a note on repeated utterances. */
  readonly onNote: OnNote;
  /** Reads the utterances of a row. */
  utterancesOf(row: Row): AsyncIterable<Utterance> | Iterable<Utterance>;
}

/**
 * Reads the utterances of a JSON Lines file. In the published SLURP, some recordings belong to two sentences of one class.
 *
 * @param path Path of the file.
 * @param reader Task, reader of a row, errors and notes.
 * @throws {Error} What `onError` throws, or if the file cannot be read.
 */
export async function readJsonl(
  path: string,
  { task, onError, onNote, utterancesOf }: JsonlReader,
): Promise<Utterance[]> {
  const label = task === "slu" ? "intent" : "text";
  const utterances = new Map<string, { readonly at: string; readonly utterance: Utterance }>();
  const repeated: string[] = [];
  await forEachLine(await readLines(path), onError, async ({ at, ...line }) => {
    for await (const utterance of utterancesOf(parseRow({ at, ...line }))) {
      const { id } = utterance;
      const before = utterances.get(id);
      if (before === undefined) {
        utterances.set(id, { at, utterance });
      } else if (before.utterance.audio === utterance.audio && before.utterance[label] === utterance[label]) {
        repeated.push(`${id} in ${at}`);
      } else {
        refuseLine(at, "ids must be unique", `${id} is already in ${before.at}`);
      }
    }
  });
  if (repeated.length > 0) {
    const more = repeated.length > 1 ? ` and ${repeated.length - 1} more` : "";
    onNote(
      `recordings that are listed twice with the same label are used once: ${escaped(repeated[0]!)}${more}`,
    );
  }
  return [...utterances.values()].map(({ utterance }) => utterance);
}

function parseRow({ at, text }: TextLine): Row {
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
 * @throws {SyntaxError} If the transcript or the class that the task needs is missing.
 */
export function utteranceOf(
  row: Row,
  task: Task,
  { id, audio, text, intent }: Pick<Utterance, "id" | "audio"> & {
    readonly text: string | undefined;
    readonly intent: string | undefined;
  },
): Utterance {
  if (task === "asr" && text === undefined) {
    refuseLine(row.at, "speech recognition needs a transcript", `${id} has none`);
  }
  if (task === "slu" && !intent) refuseLine(row.at, "understanding needs a class", `${id} has none`);
  const speaker = textField(row, "speaker");
  const { seconds = row.fields.duration } = row.fields as { seconds?: unknown };
  return {
    id,
    audio,
    ...text !== undefined && { text },
    ...intent && { intent },
    ...speaker && { speaker },
    ...typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0 && { seconds },
  };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
