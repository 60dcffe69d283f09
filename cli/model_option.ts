import { type LoadedModel, loadModel } from "../model/inference/load_model.ts";
import { resolveModel } from "../model/hub/resolve_model.ts";
import { openGpu } from "./backend.ts";
import { DownloadProgress } from "./download_progress.ts";
import { fromUser, onFiles } from "./files.ts";

/** The option that names a model. */
export const modelOption = {
  type: "string",
  description: "model folder, or its name on the hub, such as facebook/wav2vec2-base-100h",
  required: true,
} as const;

/** The option to compute with half the bytes. */
export const halfOption = {
  type: "flag",
  description: "compute products from f16: about half the memory for weights",
} as const;

/**
 * Loads the model that the user named to the device, and tells what there is to know about its files.
 *
 * @param model the option's value
 * @param half whether products read f16
 * @throws {UserError} its files are wrong, or there is no adapter; one line
 */
export async function openModel(model: string, half = false): Promise<LoadedModel> {
  const gpu = await openGpu();
  const loaded = await onFiles(async () => loadModel(await folderOf(model), { gpu, half }));
  for (const note of loaded.notes) console.error(`note: ${note}`);
  return loaded;
}

/**
 * What the user named a model by, good from wherever the run goes on: a path from the root if it is one.
 *
 * @param model the option's value
 */
export async function lastingName(model: string): Promise<string> {
  const path = fromUser(model);
  return await Deno.stat(path).then(() => path, () => model);
}

/**
 * The folder of the model that the user named; a name on the hub is downloaded into the cache, with its progress.
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
