// The cache of Hugging Face, models--ORG--NAME/{blobs,refs,snapshots} as in huggingface_hub, so that both share downloads.
import { printable } from "../../files/printable.ts";
import { adapterFiles } from "../checkpoint/adapter.ts";
import { WEIGHT_FILES } from "../checkpoint/weight_files.ts";

/** An error of the hub, the network, the cache or the disk: one line for the user. */
export class HubError extends Error {
  /** Name of the error. */
  override name = "HubError";
}

/** Milliseconds without a change after which a partial download is not expected to be continued. */
const PART_AGE = 24 * 3600_000;
/** The same for drafts, which exist for a moment only. */
const DRAFT_AGE = 3600_000;
/** Maximum number of files of weights. */
const MAX_SHARDS = 1000;

/** Folders and files of one model in the cache. */
export class ModelCache {
  /** Folder of the model. */
  readonly folder: string;

  /** The cache of a model with a given name. */
  constructor(cacheFolder: string, id: string) {
    this.folder = `${cacheFolder}/models--${id.replaceAll("/", "--")}`;
  }

  /** Path of the file whose content has a hash. */
  blob(hash: string): string {
    return `${this.folder}/blobs/${hash}`;
  }

  /** Folder of a commit. */
  snapshot(commit: string): string {
    return `${this.folder}/snapshots/${commit}`;
  }

  /** Commit that a revision had when it was last downloaded, or null. */
  async commitOf(revision: string): Promise<string | null> {
    if (isCommit(revision)) return revision;
    const commit = (await textOf(`${this.folder}/refs/${revision}`))?.trim() ?? "";
    return isCommit(commit) ? commit : null;
  }

  /** Stores the commit of a revision, atomically. */
  async setCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || await this.commitOf(revision) === commit) return;
    const path = `${this.folder}/refs/${revision}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await createAtomic(path, (draft) => Deno.writeTextFile(draft, commit));
  }

  /** Links a blob as a file of a commit. */
  async link(commit: string, file: string, hash: string): Promise<void> {
    const folder = this.snapshot(commit);
    await Deno.mkdir(folder, { recursive: true });
    const blob = this.blob(hash);
    if (await sizeOf(`${folder}/${file}`) === await sizeOf(blob)) return;
    await createAtomic(`${folder}/${file}`, async (draft) => {
      // On Windows, only some users may create symbolic links.
      await Deno.symlink(`../../blobs/${hash}`, draft)
        .catch(() => Deno.link(blob, draft))
        .catch(() => Deno.copyFile(blob, draft));
    });
  }

  /** Whether a commit has its config and all of its weights. */
  async isComplete(commit: string): Promise<boolean> {
    const folder = this.snapshot(commit);
    const has = async (file: string) => await sizeOf(`${folder}/${file}`) !== null;
    if (!await has("config.json")) return false;
    for (const file of WEIGHT_FILES) {
      if (await has(file)) return true;
      const index = await textOf(`${folder}/${file}.index.json`);
      if (index !== null) return (await Promise.all(shardsOf(index).map(has))).every(Boolean);
    }
    return false;
  }

  /** Whether a commit has the adapter of a language; true for none. */
  async hasAdapter(commit: string, language: string | undefined): Promise<boolean> {
    if (language === undefined) return true;
    const sizes = adapterFiles(language).map((file) => sizeOf(`${this.snapshot(commit)}/${file}`));
    return (await Promise.all(sizes)).some((size) => size !== null);
  }
}

/** Removes drafts and partial downloads whose process was killed; those that may still be continued stay. */
export async function removeStrays(cache: ModelCache): Promise<void> {
  for await (const path of filesIn(cache.folder)) {
    const isPart = path.endsWith(".incomplete");
    if (!isPart && !/\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(path)) continue;
    // Another process may have been faster.
    await removeStray(path, isPart ? PART_AGE : DRAFT_AGE).catch(() => {});
  }
}

async function removeStray(path: string, age: number): Promise<void> {
  const { mtime, isFile } = await Deno.lstat(path);
  if (mtime === null || Date.now() - mtime.getTime() < age) return;
  // A process that downloads holds a lock, which ends with it.
  using file = isFile ? await Deno.open(path, { write: true }) : null;
  if (file === null || await file.tryLock(true)) await Deno.remove(path);
}

/** Paths of the files and links in a folder and its sub-folders; none if it cannot be read. */
async function* filesIn(folder: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* filesIn(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** File names in an index of shards. @throws {HubError} If it is not an index, or a name is not a plain file name. */
export function shardsOf(index: string): string[] {
  const fail = (found: string): never => {
    throw new HubError(
      `Cannot read the index as it must list the files of the weights: ${found}`,
    );
  };
  let map: unknown;
  try {
    map = JSON.parse(index)?.weight_map;
  } catch (error) {
    fail(printable((error as Error).message));
  }
  if (typeof map !== "object" || map === null) return fail("it has no weight_map");
  const shards = [...new Set(Object.values(map))];
  if (shards.length > MAX_SHARDS) fail(`it lists ${shards.length}, more than ${MAX_SHARDS}`);
  const invalid = shards.find((shard) =>
    typeof shard !== "string" || !/^\w[\w.-]*\.(safetensors|bin)$/.test(shard)
  );
  if (invalid !== undefined) fail(printable(JSON.stringify(invalid)));
  return shards as string[];
}

/**
 * Folder of the cache: HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`.
 *
 * @throws {HubError} If none of these and no home folder is set.
 */
export function defaultCacheFolder(): string {
  return variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") ?? `${hubHome()}/hub`;
}

/** Folder of Hugging Face: HF_HOME, else `huggingface` in XDG_CACHE_HOME, else in `~/.cache`. */
export function hubHome(): string {
  return variable("HF_HOME") ?? `${variable("XDG_CACHE_HOME") ?? `${home()}/.cache`}/huggingface`;
}

/** Path in an environment variable; undefined if it is empty. */
function variable(name: string): string | undefined {
  return Deno.env.get(name)?.replace(/^~(?=\/|$)/, () => home()) || undefined;
}

function home(): string {
  return Deno.env.get("HOME") || Deno.env.get("USERPROFILE") || refuse();
}

function refuse(): never {
  throw new HubError("No cache folder: set HF_HUB_CACHE, HF_HOME or HOME");
}

/** Creates a file under a temporary name and renames it, so that other processes see all of it or nothing. */
async function createAtomic(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  await make(draft);
  await Deno.rename(draft, path);
}

/** Whether a revision is a commit hash. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Size of a file, following links; null if it does not exist. */
export async function sizeOf(path: string): Promise<number | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : null;
  } catch {
    return null;
  }
}

/** Text of a file; null if it does not exist. */
export async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return null;
  }
}
