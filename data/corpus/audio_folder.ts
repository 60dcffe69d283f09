// Reads the layout of Hugging Face's `audiofolder`: audio beside a table that names each file.
import { findColumns, labelled, labelsOf } from "./columns.ts";
import { AudioFinder, folderOf, foldersIn, isFile } from "./folders.ts";
import { parseRow, type Row, textField } from "./jsonl.ts";
import { forEachRow, refuseLine, streamLines } from "./lines.ts";
import { isSplit, subsetOfSplit } from "./splits.ts";
import { readCsv } from "./table.ts";
import type { OnError, ReadOptions, Utterance } from "./utterance.ts";
import { UtteranceList } from "./utterance_list.ts";

/** Name of the layout for errors. */
export const layoutName = "metadata.csv or metadata.jsonl as audiofolder";

const NAMES = ["metadata.csv", "metadata.jsonl"];

/**
 * Finds the tables of a data set: one in the folder of each split, or one for all, whose splits are the folders of its
 * files.
 *
 * @param dir A folder with `metadata.csv` or `metadata.jsonl`, or with such folders; the parent of such a `data`; or a table.
 * @returns Paths of the tables by subset; if several share one, `path#folder`. Empty if the folder has another layout.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  if (/(^|\/)metadata\.(csv|jsonl)$/.test(dir)) return new Map(await isTable(dir) ? [["", dir]] : []);
  for (const root of [dir, `${dir}/data`]) {
    const table = await tableIn(root);
    const folders = await foldersIn(root);
    if (table !== undefined) {
      const splits = folders.filter(isSplit);
      return new Map(
        splits.length === 0
          ? [["", table]]
          : splits.map((split) => [subsetOfSplit(split), `${table}#${split}`]),
      );
    }
    const subsets = new Map<string, string>();
    for (const folder of folders) {
      const path = await tableIn(`${root}/${folder}`);
      if (path !== undefined) subsets.set(subsetOfSplit(folder), path);
    }
    if (subsets.size > 0) return subsets;
  }
  return new Map();
}

/** The table of a folder; undefined if it has none. */
async function tableIn(folder: string): Promise<string | undefined> {
  for (const name of NAMES) if (await isTable(`${folder}/${name}`)) return `${folder}/${name}`;
  return undefined;
}

/** Whether a file is such a table: its rows name files. */
async function isTable(path: string): Promise<boolean> {
  if (!await isFile(path)) return false;
  for await (const { text } of streamLines(path)) return text.includes("file_name");
  return false;
}

/**
 * Reads a table: `file_name`, relative to the table, and the columns of {@linkcode COLUMNS}.
 *
 * @param path Path of the table; after `#`, the folder of the files that are read.
 * @param options Task, number of utterances, and where errors go: odd are missing files and transcripts.
 * @throws {SyntaxError} If there is no column for the task, or a row names no file.
 */
export async function readSubset(_dir: string, path: string, options: ReadOptions): Promise<Utterance[]> {
  const { task, limit, onError } = options;
  const [, table, split] = path.match(/^(.*?metadata\.\w+)(?:#(.*))?$/s)!;
  const audio = new AudioFinder(folderOf(table!));
  const utterances = new UtteranceList(task, onError);
  const columns = findColumns(table!, task, await columnsOf(table!));
  await forEachRow(rowsOf(table!, onError), onError, (row) => {
    const file = textField(row, "file_name") ??
      refuseLine(row.at, "file_name must name a file", "it is missing");
    if (split !== undefined && !file.replace(/^\.\//, "").startsWith(`${split}/`)) return true;
    const found = audio.find(file, { name: file, at: row.at });
    utterances.add(labelled({ id: file, audio: found, at: row.at }, task, labelsOf(row, columns)), row.at);
    return utterances.size < limit;
  });
  return utterances.all;
}

/** Columns of a table by its first row. */
async function columnsOf(table: string): Promise<readonly string[]> {
  for await (const { fields } of rowsOf(table, () => {})) return Object.keys(fields);
  return [];
}

async function* rowsOf(table: string, onError: OnError): AsyncGenerator<Row> {
  if (table.endsWith(".csv")) return yield* readCsv(table, onError);
  for await (const line of streamLines(table)) {
    if (line.text.trim() === "") continue;
    try {
      yield parseRow(line);
    } catch (error) {
      onError(error as Error);
    }
  }
}
