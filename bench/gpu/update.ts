/**
 * Rewrites the tables of the documentation from records, whenever those were measured. A page has them between
 * `<!-- record: FOLDER/PART -->` and `<!-- end of record -->`, where FOLDER is the name of the records' folder.
 *
 * @module
 */

import { type BenchRecord, readRecord, type TitledTable } from "../record.ts";
import { ROOT } from "../step_modules.ts";
import { markdown } from "../../prune/report/text_table.ts";
import { tablesOf } from "./recorded.ts";

const MARKS = /(<!-- record: ([\w-]+)\/(\w+) -->)[\s\S]*?(<!-- end of record -->)/g;

/** What a page shows of a record. */
export function recordText(record: BenchRecord, tables: readonly TitledTable[]): string {
  const { date, commit, adapter, runtime, command, quick, error } = record;
  const origin =
    `_${date.replace("T", " ").replace("Z", " UTC")}, commit ${commit ?? "unknown"}, ${adapter}, ` +
    `${runtime}: \`${command}\`${quick ? "; tiny shapes, which say nothing about speed" : ""}._`;
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
  let [updated, from] = ["", 0];
  for (const match of page.matchAll(MARKS)) {
    const [whole, begin, name, part, end] = match;
    const text = name === folder ? await textOf(part!) : null;
    updated += page.slice(from, match.index) + (text === null ? whole : `${begin}\n\n${text}\n\n${end}`);
    from = match.index + whole.length;
  }
  return updated + page.slice(from);
}

/** Rewrites the tables of all pages in docs/ from the records of a folder. @returns The pages that changed. */
export async function updateDocs(folder: string): Promise<string[]> {
  const name = folder.replace(/\/+$/, "").split("/").at(-1)!;
  const changed: string[] = [];
  const textOf = async (part: string) => {
    const record = await readRecord(folder, part);
    const tables = record?.result ? await tablesOf(part, record.result) : null;
    return record && tables && recordText(record, tables);
  };
  for await (const { name: file } of Deno.readDir(`${ROOT}/docs`)) {
    if (!file.endsWith(".md")) continue;
    const path = `${ROOT}/docs/${file}`;
    const page = await Deno.readTextFile(path);
    const updated = await replaceRecords(page, name, textOf);
    if (updated === page) continue;
    await Deno.writeTextFile(path, updated);
    changed.push(`docs/${file}`);
  }
  return changed;
}
