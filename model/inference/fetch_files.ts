// Fetches the files of a model from a web server, for loadModel with a URL.

import { printable } from "../../files/printable.ts";
import { adapterFiles } from "../checkpoint/adapter.ts";
import { concatBytes } from "../checkpoint/safetensors_encode.ts";
import { shardNames, TOKENIZER_FILES, WEIGHT_FILES } from "../checkpoint/weight_files.ts";
import type { CheckpointFiles } from "../checkpoint/types.ts";
import { chunksOf, MAX_JSON, MAX_UNSTATED } from "../hub/body.ts";
import { HubError } from "../hub/cache.ts";
import { NetworkError } from "../hub/request.ts";
import { withRetries } from "../hub/retry.ts";

/** Progress of a file that is fetched. */
export interface FetchProgress {
  /** Name of the file. */
  readonly file: string;
  /** Bytes so far. */
  readonly received: number;
  /** Size in bytes; null if the server does not state it. */
  readonly size: number | null;
}

/** Options of {@linkcode fetchFiles}. */
export interface FetchOptions {
  /** Language whose adapter is fetched as well. */
  readonly language?: string;
  /** Called whenever data arrives. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Ends the download. */
  readonly signal?: AbortSignal;
  /** Milliseconds without data, or with less than 1 KiB/s, after which a connection is given up; default: 10,000. */
  readonly timeout?: number;
}

/** Milliseconds before the first retry. */
const RETRY_DELAY = 500;

/** Name of the browser's cache. */
const CACHE = "espalier-models";

/**
 * Fetches the files of a model. Browsers keep weights in their cache (`caches`), by URL.
 *
 * @param url Folder of the model, http or https, with or without a slash at its end.
 * @throws {Error} If the server fails, stalls or sends more than it may, or config or weights are missing; one line.
 */
export async function fetchFiles(url: URL, options: FetchOptions = {}): Promise<CheckpointFiles> {
  if (!/^https?:$/.test(url.protocol)) {
    throw new Error(
      `Cannot load ${printable(url.href)} as a URL must be http or https: it is ${url.protocol}`,
    );
  }
  const folder = new URL(url);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  const files: Record<string, Uint8Array> = {};
  const get = async (file: string): Promise<boolean> => {
    const address = new URL(file + folder.search, folder);
    const bytes = await withRetries(() => fetchFile(address, file, options), RETRY_DELAY);
    if (bytes) files[file] = bytes;
    return bytes !== null;
  };
  if (!await get("config.json")) {
    throw new Error(`Cannot load ${printable(url.href)} as config.json is required: it is missing`);
  }
  for (const file of [...TOKENIZER_FILES, "espalier.json"]) await get(file);
  for (const file of WEIGHT_FILES) {
    if (await get(file)) break;
    const index = `${file}.index.json`;
    if (!await get(index)) continue;
    for (const shard of shardNames(new TextDecoder().decode(files[index]), index)) await get(shard);
    break;
  }
  for (const file of options.language === undefined ? [] : adapterFiles(options.language)) {
    if (await get(file)) break;
  }
  return { files, name: url.href };
}

/** Bytes of a file; null if the server does not have it. */
async function fetchFile(
  url: URL,
  file: string,
  { onProgress, signal, timeout = 10_000 }: FetchOptions,
): Promise<Uint8Array | null> {
  const isJson = file.endsWith(".json");
  const cache = isJson || typeof Deno !== "undefined" || !("caches" in globalThis)
    ? null
    : await caches.open(CACHE);
  const task = `load ${printable(url.href)}`;
  const cached = await cache?.match(url);
  const response = cached ?? await send(url, task, timeout, signal);
  if (response === null) return null;
  // The length of a compressed body is not that of the file.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const size = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
  const limit = isJson ? MAX_JSON : size ?? MAX_UNSTATED;
  const limited = `${isJson ? "it" : "a file of unstated size"} must have at most ${limit / 2 ** 20} MiB`;
  const rule = isJson || size === null ? limited : `its size must be ${size} bytes`;
  const parts: Uint8Array[] = [];
  let received = 0;
  for await (const part of chunksOf({ timeout }, response, { task, limit, rule })) {
    signal?.throwIfAborted();
    parts.push(part);
    received += part.length;
    onProgress?.({ file, received, size });
  }
  const bytes = concatBytes(parts);
  if (cache && !cached) await cache.put(url, new Response(bytes));
  return bytes;
}

/** Sends a request; null if the server does not have the file. */
async function send(url: URL, task: string, timeout: number, signal?: AbortSignal): Promise<Response | null> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no response in ${timeout / 1000} s`)), timeout);
  const signals = [late.signal, ...signal ? [signal] : []];
  const response = await fetch(url, { signal: AbortSignal.any(signals) }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new NetworkError(`Cannot ${task}: ${printable((error as Error).message)}`);
  }).finally(() => clearTimeout(timer));
  if (response.ok && (url.protocol === "http:" || response.url.startsWith("https:"))) return response;
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok) throw new HubError(`Cannot ${task}: HTTP ${response.status}`);
  throw new HubError(
    `Cannot ${task} as a redirect must not lead from https to http: ${printable(response.url)}`,
  );
}
