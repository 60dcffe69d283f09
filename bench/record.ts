/**
 * Records of measurements: one JSON file each, with what is needed to know where a figure comes from.
 *
 * @module
 */

import { readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { plain, type Table } from "../prune/report/text_table.ts";
import { ROOT } from "./step_modules.ts";

/** A table with a heading. */
export interface TitledTable extends Table {
  readonly title: string;
}

/** Tables for a terminal, each below its heading. */
export function tablesText(tables: readonly TitledTable[]): string {
  return tables.map(({ title, ...table }) => table.rows.length === 0 ? title : `${title}\n\n${plain(table)}`)
    .join("\n\n");
}

/** A measurement and where it comes from. */
export interface BenchRecord<T = unknown> {
  /** What was measured: the name of a part. */
  readonly part: string;
  /** UTC, `2026-11-30T12:00Z`. */
  readonly date: string;
  /** Commit of this checkout, with `+` after it if files were changed since; null if that is not known. */
  readonly commit: string | null;
  /** Name of the WebGPU adapter. */
  readonly adapter: string;
  /** Runtime and its version. */
  readonly runtime: string;
  readonly command: string;
  /** Load of the machine before the measurement: processes that want a core. */
  readonly load?: number;
  /** Cores of the machine. */
  readonly cores?: number;
  /** Whether only tiny shapes were measured, to see that the part works. */
  readonly quick: boolean;
  readonly seconds: number;
  /** Why the result is missing or not complete; null if it is complete. */
  readonly error: string | null;
  readonly result: T | null;
}

/** Commit of this checkout, as in {@linkcode BenchRecord}. */
export async function commitOf(root: string = ROOT): Promise<string | null> {
  const git = async (...args: string[]) => {
    const { success, stdout } = await new Deno.Command("git", { args, cwd: root, stderr: "null" }).output();
    if (!success) throw new Error(`git ${args[0]} failed`);
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    const commit = await git("rev-parse", "--short=7", "HEAD");
    return commit + (await git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+");
  } catch { // no git, or no repository
    return null;
  }
}

/** What a table calls the checkouts that alternate: null for this one, the commit of the other, or else its folder. */
export async function checkoutNames(roots: readonly (string | null)[]): Promise<(string | null)[]> {
  return await Promise.all(roots.map(async (root) => root === null ? null : await commitOf(root) ?? root));
}

/** The present time, to the minute. */
export const now = (): string => `${new Date().toISOString().slice(0, 16)}Z`;

/** Name of the runtime. */
export const RUNTIME = `Deno ${Deno.version.deno}`;

/** File of a record. */
export const recordFile = (folder: string, part: string): string => `${folder}/${part}.json`;

/** Writes a record, whole. */
export async function writeRecord(folder: string, record: BenchRecord): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await writeFileAtomic(recordFile(folder, record.part), [new TextEncoder().encode(text)]);
}

/** The record of a part; null if there is none. */
export async function readRecord(folder: string, part: string): Promise<BenchRecord | null> {
  const bytes = await readFileIfExists(recordFile(folder, part));
  return bytes ? JSON.parse(new TextDecoder().decode(bytes)) as BenchRecord : null;
}
