import { type LoadedModel, loadModel } from "../model/inference/load_model.ts";
import { resolveModel } from "../model/hub/resolve_model.ts";
import { openGpu } from "./backend.ts";
import { DownloadProgress } from "./download_progress.ts";
import { fromUser, onFiles } from "./files.ts";
import { note } from "./stderr.ts";

/** The option for the model. */
export const modelOption = {
  type: "string",
  short: "m",
  value: "MODEL",
  description: "model folder, or a name on the hub such as facebook/wav2vec2-base-100h",
  required: true,
} as const;

/** The option for half precision. */
export const halfOption = {
  type: "flag",
  description: "half precision: GEMMs read f16; about half the memory for weights",
} as const;

/**
 * Loads a model to the device, and prints the notes on its files.
 *
 * @param model the option's value
 * @param half whether GEMMs read f16
 * @throws {UserError} its files are wrong, or there is no adapter; one line
 */
export async function openModel(model: string, half = false): Promise<LoadedModel> {
  const gpu = await openGpu();
  const loaded = await onFiles(async () => loadModel(await folderOf(model), { gpu, half }));
  for (const text of loaded.notes) note(text);
  return loaded;
}

/**
 * The name of a model that stays valid where a run is resumed from another folder: an absolute path, or a name on the hub.
 *
 * @param model the option's value
 */
export async function lastingName(model: string): Promise<string> {
  const path = fromUser(model);
  return await Deno.stat(path).then(() => path, () => model);
}

/**
 * The folder of a model; a model on the hub is downloaded into the cache, with progress on standard error.
 *
 * @param model path of a folder or file, or `ORGANISATION/NAME`
 * @throws {Error} the download failed; one line
 */
export async function folderOf(model: string): Promise<string> {
  const path = fromUser(model);
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const progress = new DownloadProgress();
  try {
    const folder = await resolveModel(model, { onProgress: progress.update });
    return folder === model ? path : folder;
  } finally {
    progress.end();
  }
}
