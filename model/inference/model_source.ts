// Where a model comes from: a folder, the hub, a URL, or memory.

import type { Checkpoint, CheckpointFiles } from "../checkpoint/read.ts";
import { folderReader, type ReadFile, smallFilesFolder } from "../checkpoint/weight_files.ts";
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

/**
 * Returns a reader of the small files of a model: those of its folder, else those that its weight file implies.
 *
 * @param source Path of its folder or weight file, or its files in memory.
 * @param checkpoint What was read from it.
 */
export async function readerOf(
  source: string | CheckpointFiles,
  { implied = {} }: Pick<Checkpoint, "implied">,
): Promise<ReadFile> {
  const read: ReadFile = typeof source === "string"
    ? folderReader(await smallFilesFolder(source))
    : (file) => Promise.resolve(Object.hasOwn(source.files, file) ? source.files[file]! : null);
  return async (file) =>
    await read(file) ?? (Object.hasOwn(implied, file) ? new TextEncoder().encode(implied[file]) : null);
}

/** Bytes of the weight file of a model; null if there is no `model.safetensors`. */
export async function weightBytes(place: string | CheckpointFiles): Promise<number | null> {
  if (typeof place !== "string") return place.files["model.safetensors"]?.length ?? null;
  return await Deno.stat(`${place}/model.safetensors`).then(({ size }) => size, () => null);
}
