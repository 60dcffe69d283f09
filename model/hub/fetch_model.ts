// Downloads models from the Hugging Face hub into its cache.
import { printable } from "../../files/printable.ts";
import { WEIGHT_FILES } from "../checkpoint/weight_files.ts";
import { defaultCacheFolder, HubError, isCommit, ModelCache, shardsOf } from "./cache.ts";
import { download } from "./download.ts";
import { accessOf, type HubAccess, NetworkError, request } from "./request.ts";

export { HubError };

/** Progress of a download. */
export interface HubProgress {
  /** File that is being downloaded. */
  readonly file: string;
  /** Bytes so far. */
  readonly received: number;
  /** Size in bytes; null if the hub does not report it. */
  readonly size: number | null;
}

/** Version of the model, hub and cache. */
export interface HubOptions {
  /** Branch, tag or commit; default `main`. */
  readonly revision?: string;
  /** Cache folder; default: HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`. */
  readonly cacheFolder?: string;
  /** URL of the hub; default: HF_ENDPOINT, else `https://huggingface.co`. */
  readonly endpoint?: string;
  /** Access token; default: HF_TOKEN, else the file in HF_TOKEN_PATH, else `token` in HF_HOME. */
  readonly token?: string;
  /** Whether to use only the cache; default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Milliseconds without data after which a connection is given up; default 20,000. */
  readonly timeout?: number;
  /** Milliseconds before the first retry, doubled each time; default 500. */
  readonly retryDelay?: number;
  /** Called whenever data arrives. */
  readonly onProgress?: (progress: HubProgress) => void;
}

// Files of a model besides its weights; only the first is required.
const FILES = [
  "config.json",
  "preprocessor_config.json",
  "vocab.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "espalier.json",
];

/**
 * Whether a string is a possible name of a model on the hub, `NAME` or `ORGANISATION/NAME`.
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
 * Downloads a model from the Hugging Face hub: config, tokenizer and weights: safetensors, else PyTorch's. Files in the cache are reused, partial
 * downloads resumed, sizes and hashes verified. Without a network, the version downloaded last is used.
 *
 * @param id `ORGANISATION/NAME`, such as `facebook/wav2vec2-base-960h`.
 * @returns Path of its folder in the cache.
 * @throws {HubError} If the hub, the network or the disk fails, or there are no weights; one line.
 * @throws {RangeError} If `id` or the revision is malformed.
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
    throw new RangeError(`Cannot download as a model name must be ORGANISATION/NAME: ${printable(id)}`);
  }
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes("..")) {
    throw new RangeError(
      `Cannot download ${id} as a revision must be a branch, tag or commit: ${printable(revision)}`,
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
      `Cannot load ${id} offline: it is not in the cache ${cache.folder}`,
    );
  }
  try {
    return await update(await accessOf(options), id, revision, cache, options);
  } catch (error) {
    if (error instanceof NetworkError && cached !== null) return cached;
    throw error;
  }
}

/** Downloads the files that the cache lacks. */
async function update(
  access: HubAccess,
  id: string,
  revision: string,
  cache: ModelCache,
  options: HubOptions,
): Promise<string> {
  const { commit, files, weights } = await list(access, id, revision);
  const get = (file: string) => getFile(access, id, commit, file, cache, options);
  for (const file of FILES.filter((name) => files.includes(name))) await get(file);
  await get(weights);
  if (weights.endsWith(".index.json")) {
    const index = await Deno.readTextFile(`${cache.snapshot(commit)}/${weights}`);
    for (const shard of shardsOf(index)) await get(shard);
  }
  await cache.setCommit(revision, commit);
  return cache.snapshot(commit);
}

/** Commit of a revision, its file names, and the file or index of its weights that is to be used. */
async function list(
  access: HubAccess,
  id: string,
  revision: string,
): Promise<{ commit: string; files: string[]; weights: string }> {
  const url = `${access.endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const task = `download ${id}${revision === "main" ? "" : ` at ${revision}`}`;
  const { response } = await request(access, url, task);
  const answer = await response.json().catch(() => null);
  const commit = String(answer?.sha);
  if (!isCommit(commit) || !Array.isArray(answer.siblings)) {
    throw new HubError(`Cannot ${task} from ${access.endpoint}: the response is not a list of files`);
  }
  const files = answer.siblings.map((file: { rfilename?: unknown } | null) => String(file?.rfilename));
  if (!files.includes("config.json")) {
    throw new HubError(`Cannot ${task} as config.json is required: it is missing`);
  }
  const weights = WEIGHT_FILES.flatMap((file) => [file, `${file}.index.json`]).find((file) =>
    files.includes(file)
  );
  if (weights === undefined) {
    throw new HubError(`Cannot ${task} as ${WEIGHT_FILES.join(" or ")} is required: both are missing`);
  }
  return { commit, files, weights };
}

/** Downloads a file of a commit into the cache. */
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
  const { response, header } = await request(access, url, `download ${name}`, {
    method: "HEAD",
    followOther: false,
  });
  const hash = (header("x-linked-etag") ?? response.headers.get("etag") ?? "").replace(/^W\//, "").replaceAll(
    '"',
    "",
  );
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
    throw new HubError(
      `Cannot download ${name} from ${access.endpoint}: the hash is ${printable(hash) || "missing"}`,
    );
  }
  // The content-length of a redirect is that of its own body.
  const length = Number(
    header("x-linked-size") ?? (response.ok ? response.headers.get("content-length") : null) ?? NaN,
  );
  const size = Number.isSafeInteger(length) && length >= 0 ? length : null;
  const report = (received: number) => onProgress({ file, received, size });
  await download(access, { url, name, path: cache.blob(hash), hash, size }, report, retryDelay);
  await cache.link(commit, file, hash);
}
