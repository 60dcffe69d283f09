// Reads the rows of Hugging Face's data sets in Parquet files: labels row group by row group, audio row by row.
import { ParquetFile, type Value } from "../parquet/file.ts";
import { findColumns, type FoundColumns, labelled } from "./columns.ts";
import { isObject } from "./jsonl.ts";
import { refuseLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { ReadOptions, Utterance } from "./utterance.ts";
import { UtteranceList } from "./utterance_list.ts";

export { ParquetFile };

/**
 * Reads the labels of Parquet files: the columns of `COLUMNS`, classes by their names. The audio is a column of structs
 * with `bytes`; it is left in the file.
 *
 * @param paths Paths of the files.
 * @param options Task, number of utterances, and where errors go: odd are rows without audio or transcript.
 * @throws {SyntaxError} If a file is broken, or lacks audio or the column of the task; one line that names it.
 */
export async function readShards(paths: readonly string[], options: ReadOptions): Promise<Utterance[]> {
  const { task, limit, onError } = options;
  const utterances = new UtteranceList(task, onError);
  for (const path of paths) {
    if (utterances.size >= limit) break;
    using file = await ParquetFile.open(path);
    audioColumn(file, path);
    const columns = findColumns(path, task, file.columns);
    for (const [group, { first }] of file.groups.entries()) {
      if (utterances.size >= limit) break;
      const rows = await labelsOfGroup(file, path, columns, group);
      for (const [i, { isThere, ...labels }] of rows.entries()) {
        if (utterances.size >= limit) break;
        const row = first + i;
        const [at, id] = [
          `${path}:${row}`,
          `${path.slice(path.lastIndexOf("/") + 1, -".parquet".length)}:${row}`,
        ];
        try {
          if (!isThere) {
            const rule = "every utterance needs its audio";
            throw new OddRow("audio", { name: id, at }, rule, `row ${row} has none`);
          }
          utterances.add(labelled({ id, at, audio: path, row }, task, labels), at);
        } catch (error) {
          onError(error as Error);
        }
      }
    }
  }
  return utterances.all;
}

/**
 * Reads the audio file in a row.
 *
 * @param file The Parquet file.
 * @param path Its path, for errors.
 * @param row Number of the row.
 * @throws {SyntaxError} If there is none.
 */
export async function readAudioFile(file: ParquetFile, path: string, row: number): Promise<Uint8Array> {
  const bytes = await file.value([audioColumn(file, path), "bytes"], row);
  return bytes instanceof Uint8Array
    ? bytes
    : refuseLine(`${path}:${row}`, "it must have audio", "it has none");
}

/** Name of the column of audio: `audio`, or the first with bytes that the data set's own description names. */
function audioColumn(file: ParquetFile, path: string): string {
  const structs = file.columns.filter((name) => file.fieldsOf(name).includes("bytes"));
  const described = structs.find((name) => featuresOf(file)[name]?._type === "Audio");
  return described ?? (structs.includes("audio") ? "audio" : undefined) ??
    refuseLine(
      path,
      "it must have a column of audio, with bytes",
      `its columns are ${file.columns.join(", ")}`,
    );
}

type Features = Readonly<Record<string, { readonly _type?: unknown; readonly names?: unknown } | undefined>>;

/** The description of the columns that `datasets` writes; empty if there is none. */
function featuresOf(file: ParquetFile): Features {
  try {
    const { info } = JSON.parse(file.note("huggingface") ?? "{}");
    return isObject(info?.features) ? info.features as Features : {};
  } catch {
    return {};
  }
}

interface RowLabels {
  readonly isThere: boolean;
  readonly text: string | undefined;
  readonly intent: string | undefined;
  readonly speaker: string | undefined;
}

/** The labels of the rows of a group, and whether they have audio. */
async function labelsOfGroup(
  file: ParquetFile,
  path: string,
  columns: FoundColumns,
  group: number,
): Promise<RowLabels[]> {
  const { rows } = file.groups[group]!;
  const read = async (name: string | undefined) => {
    if (name === undefined || file.fieldsOf(name).length > 0) return new Array<undefined>(rows);
    const names = featuresOf(file)[name]?.names;
    return (await file.column([name], group)).map((value) => textOf(value, names));
  };
  const [texts, intents, speakers] = [
    await read(columns.text),
    await read(columns.intent),
    await read(columns.speaker),
  ];
  const there = await file.presence([audioColumn(file, path), "bytes"], group);
  return Array.from({ length: rows }, (_, i) => ({
    isThere: there?.[i] ?? true,
    text: texts[i],
    intent: intents[i],
    speaker: speakers[i],
  }));
}

const decoder = new TextDecoder();

/** A value as text; a class by its name, if there is a list of them. */
function textOf(value: Value, names: unknown): string | undefined {
  if (value === null) return undefined;
  if (value instanceof Uint8Array) return decoder.decode(value);
  if (!Array.isArray(names)) return String(value);
  const name: unknown = names[Number(value)];
  return typeof name === "string" ? name : undefined; // −1: no class
}
