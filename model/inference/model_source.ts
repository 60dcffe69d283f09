// Where a model comes from: a folder, the hub, a URL, or memory.

import type { CheckpointFiles } from "../checkpoint/read.ts";
import { folderReader, type ReadFile } from "../checkpoint/weight_files.ts";
import { type HubOptions, isModelId } from "../hub/fetch_model.ts";
import { DEFAULT_ENDPOINT } from "../hub/request.ts";
import { resolveModel } from "../hub/resolve_model.ts";
import { fetchFiles, type FetchOptions } from "./fetch_files.ts";

/** The path of a model's folder, or its files where there is no file system or the source is a URL. */
export async function locate(
  source: string | URL | CheckpointFiles,
  options: FetchOptions & { readonly hub?: HubOptions },
): Promise<string | CheckpointFiles> {
  if (source instanceof URL) return await fetchFiles(source, options);
  if (typeof source !== "string") return source;
  if (/^https?:\/\//.test(source)) return await fetchFiles(new URL(source), options);
  if (typeof Deno !== "undefined") return await resolveModel(source, options.hub);
  const { endpoint = DEFAULT_ENDPOINT, revision = "main" } = options.hub ?? {};
  if (isModelId(source)) {
    return await fetchFiles(new URL(`${endpoint}/${source}/resolve/${revision}/`), options);
  }
  throw new TypeError(`Cannot load ${source} as there is no file system here: give a URL or files`);
}

/** Reads files of a model by name. */
export function readerOf(source: string | CheckpointFiles): ReadFile {
  if (typeof source !== "string") {
    return (file) => Promise.resolve(Object.hasOwn(source.files, file) ? source.files[file]! : null);
  }
  return folderReader(source.replace(/(?<=.)\/+$/, ""));
}
