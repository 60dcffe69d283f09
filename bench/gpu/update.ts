/**
 * Rewrites the tables of the documentation from records, whenever those were measured. A page has them between the marks
 * `record FOLDER PART`, where FOLDER is the name of the records' folder.
 *
 * @module
 */

import { replaceBetween } from "../marks.ts";
import { type BenchRecord, readRecord, type TitledTable } from "../record.ts";
import { ROOT } from "../step_modules.ts";
import { markdown } from "../../prune/report/text_table.ts";
import { tablesOf } from "./recorded.ts";

const MARKS = /<!-- (record (\w+) (\w+)) -->/g;

/** What a page shows of a record. */
export function recordText(record: BenchRecord, tables: readonly TitledTable[]): string {
  const { date, commit, adapter, runtime, command, load, cores, quick, error } = record;
  const machine = load === undefined ? "" : `, load ${load.toFixed(1)} on ${cores} cores before it`;
  const origin =
    `_${date.replace("T", " ").replace("Z", " UTC")}, commit ${commit ?? "unknown"}, ${adapter}, ` +
    `${runtime}${machine}: \`${command}\`${quick ? "; tiny shapes, which say nothing about speed" : ""}._`;
  return [
    ...tables.flatMap((
      { title, ...table },
    ) => [`${title}:`, ...table.rows.length > 0 ? [markdown(table)] : []]),
    ...error === null ? [] : [`Not complete: ${error}.`],
    origin,
  ].join("\n\n");
}

/** Replaces the texts between the marks of a page that name the folder. @param textOf Text of a part; null if there is none. */
export async function replaceRecords(
  page: string,
  folder: string,
  textOf: (part: string) => Promise<string | null>,
): Promise<string> {
  let updated = page;
  for (const [, mark, name, part] of page.matchAll(MARKS)) {
    const text = name === folder ? await textOf(part!) : null;
    if (text !== null) updated = replaceBetween(updated, mark!, text);
  }
  return updated;
}

/** The pages of docs/ whose tables are not those of a folder's records, with the text that they should have, by path. */
export async function outdatedPages(folder: string): Promise<Map<string, string>> {
  const name = folder.replace(/\/+$/, "").split("/").at(-1)!;
  const pages = new Map<string, string>();
  const textOf = async (part: string) => {
    const record = await readRecord(folder, part);
    const tables = record?.result ? await tablesOf(part, record.result) : null;
    return record && tables && recordText(record, tables);
  };
  for await (const { name: file } of Deno.readDir(`${ROOT}/docs`)) {
    if (!file.endsWith(".md")) continue;
    const page = await Deno.readTextFile(`${ROOT}/docs/${file}`);
    const updated = await replaceRecords(page, name, textOf);
    if (updated !== page) pages.set(`docs/${file}`, updated);
  }
  return pages;
}

/** Rewrites the tables of all pages in docs/ from the records of a folder. @returns The pages that changed. */
export async function updateDocs(folder: string): Promise<string[]> {
  const pages = await outdatedPages(folder);
  for (const [path, text] of pages) await Deno.writeTextFile(`${ROOT}/${path}`, text);
  return [...pages.keys()];
}
