// Downloads models from the Hugging Face hub into its cache.
import { printable } from "../../files/printable.ts";
import { adapterFiles, missingAdapter } from "../checkpoint/adapter.ts";
import { WEIGHT_FILES } from "../checkpoint/weight_files.ts";
import { MAX_JSON, MAX_UNSTATED, readText } from "./body.ts";
import { defaultCacheFolder, HubError, isCommit, ModelCache, removeStrays, shardsOf } from "./cache.ts";
import { download } from "./download.ts";
import { accessOf, type HubAccess, NetworkError, request } from "./request.ts";
import { withRetries } from "./retry.ts";

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
  /** Language whose adapter is downloaded as well. */
  readonly language?: string;
  /** Cache folder; default: HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`. */
  readonly cacheFolder?: string;
  /** URL of the hub; default: HF_ENDPOINT, else `https://huggingface.co`. */
  readonly endpoint?: string;
  /** Access token; default: HF_TOKEN, else the file in HF_TOKEN_PATH, else `token` in HF_HOME. */
  readonly token?: string;
  /** Whether to use only the cache; default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /**
   * Milliseconds without data, or with less than 1 KiB/s, after which a connection is given up; default: 10,000, as in
   * huggingface_hub.
   */
  readonly timeout?: number;
  /** Milliseconds before the first retry, doubled each time; default 500. */
  readonly retryDelay?: number;
  /** Called whenever data arrives. */
  readonly onProgress?: (progress: HubProgress) => void;
  /** Called with the name of a file that another process downloads, and that is waited for. */
  readonly onWait?: (file: string) => void;
}

// Files of a model besides its weights; only the first is required.
const FILES = [
  "config.json",
  "preprocessor_config.json",
  "processor_config.json",
  "vocab.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "espalier.json",
];

/** Maximum size of the list of files: some 40,000 names. */
const MAX_LIST = 4 * 2 ** 20;

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
  const isCached = known !== null && await cache.isComplete(known) &&
    await cache.hasAdapter(known, options.language);
  const cached = isCached ? cache.snapshot(known) : null;
  // The files of a commit never change.
  if (cached !== null && isCommit(revision)) return cached;
  if (options.offline ?? /^(1|true|yes|on)$/i.test(Deno.env.get("HF_HUB_OFFLINE") ?? "")) {
    if (cached !== null) return cached;
    throw new HubError(
      `Cannot load ${id} offline: it is not in the cache ${cache.folder}`,
    );
  }
  try {
    const access = await accessOf(options);
    const task = `download ${id}${revision === "main" ? "" : ` at ${revision}`}`;
    // With a version to fall back on, a hub that does not respond is not worth the wait.
    const retries = cached === null ? {} : { attempts: 1 };
    const listed = await withRetries(() => list(access, id, revision, task), access.retryDelay, retries);
    return await update(access, id, revision, listed, cache, options);
  } catch (error) {
    if (error instanceof NetworkError && cached !== null) return cached;
    throw error;
  }
}

/** Commit of a revision, its file names, and the file or index of its weights that is to be used. */
interface FileList {
  readonly commit: string;
  readonly files: readonly string[];
  readonly weights: string;
}

/** Downloads the files that the cache lacks. */
async function update(
  access: HubAccess,
  id: string,
  revision: string,
  { commit, files, weights }: FileList,
  cache: ModelCache,
  options: HubOptions,
): Promise<string> {
  const get = (file: string) => getFile(access, id, commit, file, cache, options);
  for (const file of FILES.filter((name) => files.includes(name))) await get(file);
  await get(weights);
  if (weights.endsWith(".index.json")) {
    const index = await Deno.readTextFile(`${cache.snapshot(commit)}/${weights}`);
    for (const shard of shardsOf(index)) await get(shard);
  }
  if (options.language !== undefined) {
    const adapter = adapterFiles(options.language).find((file) => files.includes(file));
    if (adapter === undefined) {
      throw new HubError(`Cannot download ${id} as ${missingAdapter(options.language, files)}`);
    }
    await get(adapter);
  }
  await cache.setCommit(revision, commit);
  await removeStrays(cache);
  return cache.snapshot(commit);
}

/** Requests the list of files of a revision. */
async function list(access: HubAccess, id: string, revision: string, task: string): Promise<FileList> {
  const url = `${access.endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const { response } = await request(access, url, task);
  const rule = `the list of files must have at most ${MAX_LIST / 2 ** 20} MiB`;
  const { sha, siblings } = parseObject(await readText(access, response, { task, limit: MAX_LIST, rule }));
  const commit = String(sha);
  if (!isCommit(commit) || !Array.isArray(siblings)) {
    throw new HubError(`Cannot ${task} from ${access.endpoint}: the response is not a list of files`);
  }
  const files = siblings.map((file: { rfilename?: unknown } | null) => String(file?.rfilename));
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

/** The fields of a JSON object; none if it is not one. */
function parseObject(json: string): Record<string, unknown> {
  try {
    return JSON.parse(json) ?? {};
  } catch {
    return {};
  }
}

/** Downloads a file of a commit into the cache. */
async function getFile(
  access: HubAccess,
  id: string,
  commit: string,
  file: string,
  cache: ModelCache,
  { onProgress = () => {}, onWait }: HubOptions,
): Promise<void> {
  const url = `${access.endpoint}/${id}/resolve/${commit}/${file}`;
  const name = `${file} of ${id}`;
  const { hash, size } = await withRetries(() => stateOf(access, url, name), access.retryDelay);
  const isJson = file.endsWith(".json");
  if (isJson && size !== null && size > MAX_JSON) {
    throw new HubError(
      `Cannot download ${name} as it must have at most ${MAX_JSON / 2 ** 20} MiB: it has ${size} bytes`,
    );
  }
  const limit = isJson ? MAX_JSON : MAX_UNSTATED;
  const report = (received: number) => onProgress({ file, received, size });
  await download(access, {
    url,
    name,
    path: cache.blob(hash),
    hash,
    size,
    limit,
    onWait: onWait && (() => onWait(file)),
  }, report);
  await cache.link(commit, file, hash);
}

/** Hash and size of a file, by the headers of the hub. */
async function stateOf(
  access: HubAccess,
  url: string,
  name: string,
): Promise<{ hash: string; size: number | null }> {
  const { response, header } = await request(access, url, `download ${name}`, {
    method: "HEAD",
    followOther: false,
  });
  const etag = header("x-linked-etag") ?? response.headers.get("etag") ?? "";
  const hash = etag.replace(/^W\//, "").replaceAll('"', "");
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
    throw new HubError(
      `Cannot download ${name} from ${access.endpoint}: the hash is ${printable(hash) || "missing"}`,
    );
  }
  // The content-length of a redirect is that of its own body.
  const length = Number(
    header("x-linked-size") ?? (response.ok ? response.headers.get("content-length") : null) ?? NaN,
  );
  return { hash, size: Number.isSafeInteger(length) && length >= 0 ? length : null };
}
