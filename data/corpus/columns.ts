// What tables of utterances have in common: the names of their columns, and what an utterance must have.
import type { Row } from "./jsonl.ts";
import { refuseLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { AudioPlace, Task, Utterance } from "./utterance.ts";

/** Names of the columns of transcript, class and speaker in published data sets; the first that a table has is used. */
export const COLUMNS = {
  text: ["transcription", "text", "sentence", "transcript", "normalized_text"],
  intent: ["intent", "intent_class", "label", "class"],
  speaker: ["speaker_id", "speaker", "client_id"],
} as const;

/** The columns that a table has; undefined where it has none of the names. */
export interface FoundColumns {
  readonly text: string | undefined;
  readonly intent: string | undefined;
  readonly speaker: string | undefined;
}

/**
 * Finds the columns of a table.
 *
 * @param table The table, for errors.
 * @param task Task whose column must be there.
 * @param names The columns that the table has.
 * @throws {SyntaxError} If it lacks the column of the task.
 */
export function findColumns(table: string, task: Task, names: readonly string[]): FoundColumns {
  const find = (known: readonly string[]) => known.find((name) => names.includes(name));
  const columns = {
    text: find(COLUMNS.text),
    intent: find(COLUMNS.intent),
    speaker: find(COLUMNS.speaker),
  };
  const kind = task === "slu" ? "intent" : "text";
  if (columns[kind] !== undefined || names.length === 0) return columns;
  const known = COLUMNS[kind].join(", ");
  return refuseLine(table, `one of its columns must be ${known}`, `they are ${names.join(", ")}`);
}

/** Labels of an utterance; empty where there are none. */
export interface Labels {
  readonly text?: string | undefined;
  readonly intent?: string | undefined;
  readonly speaker?: string | undefined;
  readonly seconds?: number | undefined;
}

/**
 * The labels of a row. A number, such as that of a speaker, becomes text.
 *
 * @throws {SyntaxError} If a field is neither text nor a number.
 */
export function labelsOf({ at, fields }: Row, columns: FoundColumns): Labels {
  const field = (name: string | undefined): string | undefined => {
    const value = name === undefined ? undefined : fields[name];
    if (value === undefined || value === null) return undefined;
    if (["string", "number", "bigint"].includes(typeof value)) return String(value);
    return refuseLine(at, `${name} must be text`, JSON.stringify(value));
  };
  return { text: field(columns.text), intent: field(columns.intent), speaker: field(columns.speaker) };
}

/**
 * An utterance with its labels.
 *
 * @param place Id, audio, and where it is listed.
 * @throws {OddRow} If it has no transcript that the task needs, or no length.
 * @throws {SyntaxError} If it has no class that the task needs.
 */
export function labelled(
  { at, ...place }: AudioPlace & { readonly id: string; readonly at: string },
  task: Task,
  { text, intent, speaker, seconds }: Labels,
): Utterance {
  const name = place.id;
  if (task === "asr" && !text?.trim()) {
    const rule = "speech recognition needs a transcript";
    throw new OddRow("transcript", { name, at }, rule, `${name} has none`);
  }
  if (task === "slu" && !intent) refuseLine(at, "understanding needs a class", `${name} has none`);
  if (seconds !== undefined && seconds <= 0) {
    const rule = "an utterance must have a length";
    throw new OddRow("length", { name, at }, rule, `it lasts ${seconds} s`);
  }
  return {
    ...place,
    ...text && { text },
    ...intent && { intent },
    ...speaker && { speaker },
    ...seconds !== undefined && { seconds },
  };
}
