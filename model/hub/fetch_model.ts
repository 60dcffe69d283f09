import { printable } from "../checkpoint/json_fields.ts";
import { defaultCacheFolder, HubError, isCommit, ModelCache, shardsOf } from "./cache.ts";
import { download } from "./download.ts";
import { accessOf, ask, type HubAccess, NetworkError } from "./request.ts";

export { HubError };

/** How far a download is. */
export interface HubProgress {
  /** Name of the file that is being downloaded. */
  readonly file: string;
  /** Bytes of it that there are. */
  readonly received: number;
  /** Bytes of it, null where the hub does not say. */
  readonly size: number | null;
}

/** Which version of a model to get, from where, and where to. */
export interface HubOptions {
  /** Branch, tag or commit, `main` unless given. */
  readonly revision?: string;
  /** Cache of Hugging Face: HF_HUB_CACHE, else HF_HOME and `hub`, else `~/.cache/huggingface/hub` unless given. */
  readonly cacheFolder?: string;
  /** Address of the hub: HF_ENDPOINT, else `https://huggingface.co` unless given. */
  readonly endpoint?: string;
  /** Access token: HF_TOKEN, else the file that HF_TOKEN_PATH names or `token` in HF_HOME unless given. */
  readonly token?: string;
  /** Whether only the cache is looked at: what HF_HUB_OFFLINE says unless given. */
  readonly offline?: boolean;
  /** Milliseconds of silence after which a connection is given up, 20,000 unless given. */
  readonly timeout?: number;
  /** Milliseconds before the first new try of a broken connection, doubled each time; 500 unless given. */
  readonly retryDelay?: number;
  /** Called as bytes come in. */
  readonly onProgress?: (progress: HubProgress) => void;
}

// What a model needs beside its weights; the first must be there.
const FILES = [
  "config.json",
  "preprocessor_config.json",
  "vocab.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "espalier.json",
];
const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * Whether a text can be the name of a model on the hub, `NAME` or `ORGANISATION/NAME`.
 *
 * @example
 * ```ts
 * import { isModelId } from "./fetch_model.ts";
 *
 * console.log(isModelId("facebook/wav2vec2-base-960h"), isModelId("./pruned")); // true false
 * ```
 */
export function isModelId(id: string): boolean {
  return /^\w[\w.-]{0,95}(\/\w[\w.-]{0,95})?$/.test(id) && !/--|\.\./.test(id);
}

/**
 * Gets a model from the Hugging Face hub: the folder of the cache with its configuration, tokenizer and safetensors
 * weights. What the cache lacks is downloaded, resumed where an earlier download stopped, and held to the size and hash
 * that the hub tells. Without a network the version downloaded last is used.
 *
 * @param id `ORGANISATION/NAME`, such as `facebook/wav2vec2-base-960h`.
 * @returns Path of the folder.
 * @throws {HubError} If the hub, the network or the disk fails, or there are no safetensors weights; one line.
 * @throws {RangeError} If `id` or the revision cannot be one.
 *
 * @example
 * ```ts ignore
 * const folder = await fetchModel("facebook/wav2vec2-base-960h", {
 *   onProgress: ({ file, received, size }) => console.log(file, received, size),
 * });
 * ```
 */
export async function fetchModel(id: string, options: HubOptions = {}): Promise<string> {
  const { revision = "main" } = options;
  if (!isModelId(id)) {
    throw new RangeError(`Cannot download as a model is called ORGANISATION/NAME: ${printable(id)} is not`);
  }
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes("..")) {
    throw new RangeError(
      `Cannot download ${id} as a revision is a branch, tag or commit: ${printable(revision)}`,
    );
  }
  const cache = new ModelCache(options.cacheFolder ?? defaultCacheFolder(), id);
  const known = await cache.commitOf(revision);
  const cached = known !== null && await cache.isComplete(known) ? cache.snapshot(known) : null;
  // The files of a commit never change.
  if (cached !== null && isCommit(revision)) return cached;
  if (options.offline ?? /^(1|true|yes|on)$/i.test(Deno.env.get("HF_HUB_OFFLINE") ?? "")) {
    if (cached !== null) return cached;
    throw new HubError(
      `Cannot load ${id} as it must be in the cache while offline: ${cache.folder} lacks it`,
    );
  }
  try {
    return await update(await accessOf(options), id, revision, cache, options);
  } catch (error) {
    if (error instanceof NetworkError && cached !== null) return cached;
    throw error;
  }
}

/** Brings the cache to the hub's version. */
async function update(
  access: HubAccess,
  id: string,
  revision: string,
  cache: ModelCache,
  options: HubOptions,
): Promise<string> {
  const { commit, files } = await list(access, id, revision);
  const get = (file: string) => getFile(access, id, commit, file, cache, options);
  for (const file of FILES.filter((name) => files.includes(name))) await get(file);
  if (files.includes(WEIGHTS)) {
    await get(WEIGHTS);
  } else {
    await get(INDEX);
    const index = await Deno.readTextFile(`${cache.snapshot(commit)}/${INDEX}`);
    for (const shard of shardsOf(index)) await get(shard);
  }
  await cache.setCommit(revision, commit);
  return cache.snapshot(commit);
}

/** The commit of a revision, and the files it has. */
async function list(
  access: HubAccess,
  id: string,
  revision: string,
): Promise<{ commit: string; files: string[] }> {
  const url = `${access.endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const what = `download ${id}${revision === "main" ? "" : ` at ${revision}`}`;
  const { response } = await ask(access, url, what);
  const answer = await response.json().catch(() => null);
  const commit = String(answer?.sha);
  if (!isCommit(commit) || !Array.isArray(answer.siblings)) {
    throw new HubError(`Cannot ${what} as ${access.endpoint} must list its files: the answer is no list`);
  }
  const files = answer.siblings.map((file: { rfilename?: unknown } | null) => String(file?.rfilename));
  if (!files.includes("config.json")) {
    throw new HubError(`Cannot ${what} as a model must have a config.json: it has none`);
  }
  if (!files.includes(WEIGHTS) && !files.includes(INDEX)) {
    const pickle = files.find((name: string) => /\.(bin|pt|pth|ckpt)$/.test(name));
    throw new HubError(
      `Cannot ${what} as its weights must be safetensors: it has ${pickle ? printable(pickle) : "none"}` +
        (pickle ? "; a revision such as refs/pr/1 may have them, see the model's pull requests" : ""),
    );
  }
  return { commit, files };
}

/** Gets one file of a commit into the cache. */
async function getFile(
  access: HubAccess,
  id: string,
  commit: string,
  file: string,
  cache: ModelCache,
  { onProgress = () => {}, retryDelay }: HubOptions,
): Promise<void> {
  const url = `${access.endpoint}/${id}/resolve/${commit}/${file}`;
  const name = `${file} of ${id}`;
  const { response, header } = await ask(access, url, `download ${name}`, { method: "HEAD", away: false });
  const hash = (header("x-linked-etag") ?? response.headers.get("etag") ?? "").replace(/^W\//, "").replaceAll(
    '"',
    "",
  );
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
    throw new HubError(
      `Cannot download ${name} as ${access.endpoint} must tell its hash: ${printable(hash) || "none"}`,
    );
  }
  // A redirect's own length says nothing.
  const length = Number(
    header("x-linked-size") ?? (response.ok ? response.headers.get("content-length") : null) ?? NaN,
  );
  const size = Number.isSafeInteger(length) && length >= 0 ? length : null;
  const report = (received: number) => onProgress({ file, received, size });
  await download(access, { url, name, path: cache.blob(hash), hash, size }, report, retryDelay);
  await cache.show(commit, file, hash);
}
