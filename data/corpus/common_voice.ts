// Reads the layout of Common Voice (Ardila et al., "Common Voice: a massively-multilingual speech corpus", LREC 2020).
import { labelled } from "./columns.ts";
import { AudioFinder, folderOf, foldersIn, isFile, readFolder } from "./folders.ts";
import { textField } from "./jsonl.ts";
import { forEachRow, refuseLine } from "./lines.ts";
import { readTsv, tsvColumns } from "./table.ts";
import type { ReadOptions, Utterance } from "./utterance.ts";
import { UtteranceList } from "./utterance_list.ts";

/** Name of the layout for errors. */
export const layoutName = "SUBSET.tsv and clips/ as Common Voice";

/**
 * Finds the lists of a language.
 *
 * @param dir The folder of a language, with `clips` and the lists; a folder with such folders; or a list.
 * @returns Paths of the lists by name, without `.tsv`, after the language if there are several; empty if the folder has
 * another layout.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  if (dir.endsWith(".tsv") && await isFile(dir)) return new Map(await isList(dir) ? [["", dir]] : []);
  const here = await listsIn(dir);
  if (here.size > 0) return here;
  const languages = new Map<string, Map<string, string>>();
  for (const language of await foldersIn(dir)) {
    const lists = await listsIn(`${dir}/${language}`);
    if (lists.size > 0) languages.set(language, lists);
  }
  if (languages.size === 1) return [...languages.values()][0]!;
  const all = [...languages].flatMap(([language, lists]) =>
    [...lists].map(([name, path]) => [`${language}/${name}`, path] as const)
  );
  return new Map(all);
}

async function listsIn(folder: string): Promise<Map<string, string>> {
  const lists = new Map<string, string>();
  const entries = await readFolder(folder);
  if (!entries.some(({ name, isFolder }) => isFolder && name === "clips")) return lists;
  for (const { name } of entries) {
    const path = `${folder}/${name}`;
    if (name.endsWith(".tsv") && await isList(path)) lists.set(name.slice(0, -4), path);
  }
  return lists;
}

/** Whether a table lists utterances: others have durations, sentences or reports. */
async function isList(path: string): Promise<boolean> {
  const columns = await tsvColumns(path);
  return ["path", "sentence"].every((name) => columns.includes(name));
}

/**
 * Reads a list: `path` in `clips`, `sentence`, and `client_id`, the speaker. Durations are those of `clip_durations.tsv`, if
 * there is one.
 *
 * @param path Path of the list.
 * @param options Task, number of utterances, and where errors go: odd are a missing file, sentence or length.
 * @throws {SyntaxError} If a row has too many fields, or names no file.
 */
export async function readSubset(_dir: string, path: string, options: ReadOptions): Promise<Utterance[]> {
  const { task, limit, onError } = options;
  const folder = folderOf(path);
  const audio = new AudioFinder(`${folder}/clips`);
  const durations = await readDurations(`${folder}/clip_durations.tsv`);
  const utterances = new UtteranceList(task, onError);
  await forEachRow(readTsv(path, onError), onError, (row) => {
    const file = textField(row, "path") ?? refuseLine(row.at, "path must name a file", "it is missing");
    // The first releases leave out the extension.
    const clip = /\.\w+$/.test(file) ? file : `${file}.mp3`;
    const place = { name: clip, at: row.at };
    const utterance = { id: clip, audio: audio.find(clip, place), at: row.at };
    const [text, speaker] = [textField(row, "sentence"), textField(row, "client_id")];
    utterances.add(labelled(utterance, task, { text, speaker, seconds: durations.get(clip) }), row.at);
    return utterances.size < limit;
  });
  return utterances.all;
}

/** Seconds of each audio file; empty if there is no table of them. */
async function readDurations(path: string): Promise<ReadonlyMap<string, number>> {
  const durations = new Map<string, number>();
  if (!await isFile(path)) return durations;
  await forEachRow(readTsv(path, raise), raise, (row) => {
    const { clip, "duration[ms]": duration } = row.fields;
    const seconds = Number(duration) / 1000;
    if (!(seconds >= 0)) refuseLine(row.at, "duration[ms] must be a number", String(duration));
    durations.set(String(clip), seconds);
    return true;
  });
  return durations;
}

function raise(error: Error): never {
  throw error;
}
