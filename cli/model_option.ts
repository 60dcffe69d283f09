import { readCheckpoint } from "../model/checkpoint/read.ts";
import { loadModel } from "../model/inference/load_model.ts";
import type { LoadedModel } from "../model/inference/loaded_model.ts";
import { readerOf, weightBytes } from "../model/inference/model_source.ts";
import { HubError } from "../model/hub/cache.ts";
import { resolveModel } from "../model/hub/resolve_model.ts";
import { modelFiles } from "../model/inference/model_files.ts";
import type { BaseModel } from "../train/start.ts";
import { openGpu } from "./backend.ts";
import { DownloadProgress } from "./download_progress.ts";
import { fetchedModel, isUrl } from "./fetched_model.ts";
import { fromUser, onFiles } from "./files.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** The option for the model. */
export const modelOption = {
  type: "string",
  short: "m",
  value: "MODEL",
  description:
    "model folder or weight file, URL of a folder, or a name on the hub such as facebook/wav2vec2-base-100h",
  required: true,
} as const;

/** The option for the version of a model on the hub. */
export const revisionOption = {
  type: "string",
  value: "REV",
  description: "branch, tag or commit of a model on the hub, such as refs/pr/1; MODEL@REV does the same",
  computed: { text: "main" },
} as const;

/** The option for the language of a multilingual model. */
export const langOption = {
  type: "string",
  value: "LANG",
  description: "language of a multilingual model (MMS), such as fra: its adapter, head and vocabulary",
  computed: { text: "that of the model's weights" },
} as const;

/** The options of a model for its version and language, by their names. */
export interface ModelChoice {
  readonly revision?: string | undefined;
  readonly lang?: string | undefined;
}

/** The option for half precision. */
export const halfOption = {
  type: "flag",
  description: "half precision: GEMMs read f16; about half the memory for weights",
} as const;

/**
 * Loads a model to the device, and prints the notes on its files.
 *
 * @param model the option's value
 * @param options.half whether GEMMs read f16
 * @param options.revision version of a model on the hub
 * @param options.lang language of a multilingual model
 * @throws {UserError} its files are wrong, or there is no adapter; one line
 */
export async function openModel(
  model: string,
  { half = false, ...choice }: ModelChoice & { half?: boolean },
): Promise<LoadedModel> {
  const gpu = await openGpu();
  const loaded = await onFiles(async () =>
    loadModel(await folderOf(model, choice), { gpu, half, ...languageOf(choice) })
  );
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
 * A model and its revision as one name, `ORGANISATION/NAME@REVISION`.
 *
 * @throws {UserError} the model names another revision
 */
export function atRevision(model: string, revision: string | undefined): string {
  if (revision === undefined || model.endsWith(`@${revision}`)) return model;
  if (model.includes("@")) throw new UserError(`--revision ${revision} is not the revision of ${model}`);
  return `${model}@${revision}`;
}

/**
 * The folder of a model; a model on the hub or behind a URL is downloaded into the cache, with progress on standard error.
 *
 * @param model path of a folder or file, URL of a folder, or `ORGANISATION/NAME`, or that with `@REVISION`
 * @param choice version of a model on the hub, and language, whose adapter is downloaded too
 * @throws {Error} the download failed; one line
 */
export async function folderOf(model: string, choice: ModelChoice = {}): Promise<string> {
  const { revision } = choice;
  const path = fromUser(model);
  if (await Deno.stat(path).then(() => true, () => false)) {
    if (revision === undefined) return path;
    throw new UserError(`--revision is for a model on the hub: ${model} is a folder or file`);
  }
  if (isUrl(model) && revision !== undefined) {
    throw new UserError(`--revision is for a model on the hub: ${model} is a URL`);
  }
  const name = atRevision(model, revision);
  const progress = new DownloadProgress();
  try {
    if (isUrl(model)) {
      return await fetchedModel(model, { onProgress: progress.update, ...languageOf(choice) });
    }
    const folder = await resolveModel(name, {
      ...languageOf(choice),
      onProgress: progress.update,
      onWait: (file) => note(`waiting for another process that downloads ${file}`),
    });
    return folder === name ? path : folder;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    // A mistyped path such as assets/modle looks like a name on the hub.
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!await Deno.stat(parent).then(() => true, () => false)) throw error;
    throw new UserError(`${error.message} (and there is no folder ${path})`, { cause: error });
  } finally {
    progress.end();
  }
}

/** The option of the library for a language. */
export function languageOf({ lang }: ModelChoice): { language?: string } {
  return lang === undefined ? {} : { language: lang };
}

/**
 * Reads a model and its small files, to be trained or pruned.
 *
 * @param folder path of the model's folder or weight file
 * @param name its name for messages
 * @param choice language of a multilingual model
 * @throws {Error} a file is missing or wrong; one line
 */
export async function readBaseModel(folder: string, name: string, choice: ModelChoice): Promise<BaseModel> {
  const checkpoint = await readCheckpoint(folder, languageOf(choice));
  const read = await readerOf(folder, checkpoint);
  const files = await modelFiles(read, checkpoint.config, folder);
  return { name, checkpoint, files, fileBytes: await weightBytes(folder) };
}
