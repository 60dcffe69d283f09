import { seeHelp } from "./program_name.ts";
import { CACHE_KINDS, cacheEntries, type CacheEntry, cacheFolders, type CacheKind } from "./cache_entries.ts";
import { defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

const KINDS = Object.keys(CACHE_KINDS) as CacheKind[];

/** Kinds that `cache clear` removes; models are shared with other programs, so they are removed only by name. */
const CLEARED: readonly CacheKind[] = KINDS.filter((kind) => kind !== "models");

/** `cache`: shows and clears what the program keeps on disk. */
export const cacheCommand = defineCommand({
  name: "cache",
  summary: "Show or clear cached corpora, kernel timings and downloads",
  access: ["files"],
  operands: `[clear [${KINDS.join("|")}]]`,
  choices: ["clear", ...KINDS],
  options: { json: { type: "flag", description: "print JSON" } },
  examples: [
    ["what is cached, and how large it is", "cache"],
    ["remove everything but downloaded models, which other programs share", "cache clear"],
    ["remove the downloaded speech models", "cache clear models"],
  ],
  async run({ json }, [action, kind, ...more]) {
    if (action !== undefined && action !== "clear") {
      const meant = suggest(action, ["clear"]);
      throw new UserError(
        `Unknown action ${action}: ${meant ? `did you mean ${meant}?` : seeHelp("cache")}`,
      );
    }
    if (more.length > 0) throw new UserError(`cache clear takes one kind: got ${[kind, ...more].join(" ")}`);
    const kinds = kind === undefined ? CLEARED : [kindOf(kind)];
    return await onFiles(async () => {
      const entries = await cacheEntries();
      if (action === undefined) print(json ? jsonOf(entries) : tableOf(entries));
      else await clear(entries, kinds, json);
      return 0;
    });
  },
});

function kindOf(word: string): CacheKind {
  const kind = KINDS.find((kind) => kind === word);
  if (kind) return kind;
  const meant = suggest(word, KINDS);
  throw new UserError(
    `Unknown kind ${word}: ${meant ? `did you mean ${meant}?` : `known are ${KINDS.join(", ")}`}`,
  );
}

async function clear(
  entries: readonly CacheEntry[],
  kinds: readonly CacheKind[],
  json: boolean,
): Promise<void> {
  const removed: CacheEntry[] = [];
  try {
    for (const entry of entries) {
      if (!kinds.includes(entry.kind)) continue;
      if (await isInUse(entry)) {
        note(`${entry.path} is kept: another process writes to it`);
        continue;
      }
      await remove(entry.path);
      removed.push(entry);
      if (!json) print(`removed ${entry.path} (${sizeText(entry.bytes)})`);
    }
  } finally {
    if (json) print(jsonOf(removed));
  }
  if (json) return;
  const rest = entries.filter((entry) => !removed.includes(entry));
  print(`${sizeText(bytesOf(removed))} freed, ${sizeText(bytesOf(rest))} kept`);
}

/** Whether a process is making a corpus or downloading a file: it holds a lock. */
async function isInUse({ kind, path }: CacheEntry): Promise<boolean> {
  if (kind !== "partial") return false;
  const lock = path.endsWith(".incomplete") ? path : path.replace(/partial$/, "lock");
  using file = await Deno.open(lock, { read: true, write: true }).catch(() => null);
  return file !== null && !await file.tryLock(true).catch(() => true);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(`Cannot remove ${path} as the system refuses: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function jsonOf(entries: readonly CacheEntry[]): string {
  return JSON.stringify({ bytes: bytesOf(entries), entries }, null, 2);
}

function tableOf(entries: readonly CacheEntry[]): string {
  const { own, hub } = cacheFolders();
  return [
    `in ${own}`,
    `and ${hub} (models)`,
    "",
    ...KINDS.flatMap((kind) => {
      const ofKind = entries.filter((entry) => entry.kind === kind);
      return [
        line(kind, bytesOf(ofKind), CACHE_KINDS[kind]),
        ...ofKind.map(({ name, bytes }) => line("", bytes, `  ${name}`)),
      ];
    }),
    line("total", bytesOf(entries), ""),
  ].join("\n");
}

function line(kind: string, bytes: number, text: string): string {
  return `${kind.padEnd(8)}  ${sizeText(bytes).padStart(8)}  ${text}`.trimEnd();
}

function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A size with three digits: `312 MB`. */
function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let size = bytes;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1000;
  return `${unit === 0 ? size : Number(size.toPrecision(3))} ${units[unit]}`;
}
