// Fetches the files of a model from a web server, for loadModel with a URL.

import { printable } from "../../files/printable.ts";
import { shardNames, TOKENIZER_FILES, WEIGHT_FILES } from "../checkpoint/weight_files.ts";
import type { CheckpointFiles } from "../checkpoint/types.ts";

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
  /** Called whenever data arrives. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Ends the download. */
  readonly signal?: AbortSignal;
}

/** Name of the browser's cache. */
const CACHE = "espalier-models";

/**
 * Fetches the files of a model. Browsers keep weights in their cache (`caches`), by URL.
 *
 * @param url Folder of the model, http or https, with or without a slash at its end.
 * @throws {Error} If the server fails, or config or weights are missing; one line.
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
    const bytes = await fetchFile(new URL(file + folder.search, folder), file, options);
    if (bytes) files[file] = bytes;
    return bytes !== null;
  };
  if (!await get("config.json")) {
    throw new Error(`Cannot load ${printable(url.href)} as config.json is required: it is missing`);
  }
  for (const file of TOKENIZER_FILES) await get(file);
  for (const file of WEIGHT_FILES) {
    if (await get(file)) break;
    const index = `${file}.index.json`;
    if (!await get(index)) continue;
    for (const shard of shardNames(new TextDecoder().decode(files[index]), index)) await get(shard);
    break;
  }
  return { files, name: url.href };
}

/** Bytes of a file; null if the server does not have it. */
async function fetchFile(
  url: URL,
  file: string,
  { onProgress, signal }: FetchOptions,
): Promise<Uint8Array | null> {
  const cache = file.endsWith(".json") || typeof Deno !== "undefined" || !("caches" in globalThis)
    ? null
    : await caches.open(CACHE);
  const fail = (cause: string): never => {
    throw new Error(`Cannot load ${printable(url.href)}: ${printable(cause)}`);
  };
  const cached = await cache?.match(url);
  const response: Response = cached ?? await fetch(url, signal ? { signal } : {}).catch((error) => {
    if (signal?.aborted) throw error;
    return fail((error as Error).message);
  });
  if (response.status === 404 || response.status === 410) {
    await response.body?.cancel();
    return null;
  }
  if (!response.ok) {
    await response.body?.cancel();
    return fail(`HTTP ${response.status}`);
  }
  if (cache && !cached) await cache.put(url, response.clone());
  const length = Number(response.headers.get("content-length") ?? NaN);
  const size = Number.isSafeInteger(length) && length >= 0 ? length : null;
  const parts: Uint8Array[] = [];
  let received = 0;
  for await (const part of response.body!) {
    parts.push(part);
    received += part.length;
    onProgress?.({ file, received, size });
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
