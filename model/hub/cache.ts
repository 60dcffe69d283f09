// Where the Hugging Face cache is, and what is in it: models--ORG--NAME/{blobs,refs,snapshots}, as huggingface_hub lays
// it out, so that both find each other's downloads.
import { printable } from "../checkpoint/json_fields.ts";

/** What the hub, its cache or the disk refuses: one line for the user. */
export class HubError extends Error {
  /** Name of the class. */
  override name = "HubError";
}

/** Folders and files of one model in the cache. */
export class ModelCache {
  /** Folder of the model. */
  readonly folder: string;

  /** A model by its name on the hub. */
  constructor(cacheFolder: string, id: string) {
    this.folder = `${cacheFolder}/models--${id.replaceAll("/", "--")}`;
  }

  /** File whose content has a hash. */
  blob(hash: string): string {
    return `${this.folder}/blobs/${hash}`;
  }

  /** Folder of a commit. */
  snapshot(commit: string): string {
    return `${this.folder}/snapshots/${commit}`;
  }

  /** Commit of a revision when it was last downloaded, or null. */
  async commitOf(revision: string): Promise<string | null> {
    if (isCommit(revision)) return revision;
    const commit = (await textOf(`${this.folder}/refs/${revision}`))?.trim() ?? "";
    return isCommit(commit) ? commit : null;
  }

  /** Notes the commit of a revision, whole or not at all. */
  async setCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || await this.commitOf(revision) === commit) return;
    const path = `${this.folder}/refs/${revision}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await place(path, (draft) => Deno.writeTextFile(draft, commit));
  }

  /** Shows a blob as a file of a commit. */
  async show(commit: string, file: string, hash: string): Promise<void> {
    const folder = this.snapshot(commit);
    await Deno.mkdir(folder, { recursive: true });
    const blob = this.blob(hash);
    if (await sizeOf(`${folder}/${file}`) === await sizeOf(blob)) return;
    await place(`${folder}/${file}`, async (draft) => {
      // Windows allows symbolic links to some users only.
      await Deno.symlink(`../../blobs/${hash}`, draft)
        .catch(() => Deno.link(blob, draft))
        .catch(() => Deno.copyFile(blob, draft));
    });
  }

  /** Whether a commit has a configuration and all of its weights. */
  async isComplete(commit: string): Promise<boolean> {
    const folder = this.snapshot(commit);
    const has = async (file: string) => await sizeOf(`${folder}/${file}`) !== null;
    if (!await has("config.json")) return false;
    if (await has("model.safetensors")) return true;
    const index = await textOf(`${folder}/model.safetensors.index.json`);
    if (index === null) return false;
    return (await Promise.all(shardsOf(index).map(has))).every(Boolean);
  }
}

/** The files that an index of weights names. @throws {HubError} If it is not one, or names no plain files. */
export function shardsOf(index: string): string[] {
  const fail = (found: string): never => {
    throw new HubError(
      `Cannot read model.safetensors.index.json as it must name the files of the weights: ${found}`,
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
  const odd = shards.find((shard) => typeof shard !== "string" || !/^\w[\w.-]*\.safetensors$/.test(shard));
  if (odd !== undefined) fail(printable(JSON.stringify(odd)));
  return shards as string[];
}

/**
 * Folder of the cache: HF_HUB_CACHE, else HF_HOME and `hub`, else `~/.cache/huggingface/hub`.
 *
 * @throws {HubError} If none of these and no home folder is known.
 */
export function defaultCacheFolder(): string {
  return variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") ?? `${hubHome()}/hub`;
}

/** Folder of everything that belongs to Hugging Face: HF_HOME, else in XDG_CACHE_HOME, else in `~/.cache`. */
export function hubHome(): string {
  return variable("HF_HOME") ?? `${variable("XDG_CACHE_HOME") ?? `${home()}/.cache`}/huggingface`;
}

/** Value of a path in the environment; none where it is empty. */
function variable(name: string): string | undefined {
  return Deno.env.get(name)?.replace(/^~(?=\/|$)/, () => home()) || undefined;
}

function home(): string {
  return Deno.env.get("HOME") || Deno.env.get("USERPROFILE") || refuse();
}

function refuse(): never {
  throw new HubError("Cannot find the cache as HF_HUB_CACHE, HF_HOME or HOME must be set: none is");
}

/** Makes a file under another name, then gives it its own: another process sees all of it or nothing. */
async function place(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  await make(draft);
  await Deno.rename(draft, path);
}

/** Whether a revision is the hash of a commit. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Size of a file, its links followed, or null where there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : null;
  } catch {
    return null;
  }
}

/** Text of a file, or null where there is none. */
export async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return null;
  }
}
