// Where a model comes from: a folder, the hub, a URL, or memory.

import type { Checkpoint, CheckpointFiles } from "../checkpoint/read.ts";
import { folderReader, type ReadFile, smallFilesFolder } from "../checkpoint/weight_files.ts";
import { vocabularyOf } from "../decode/nested_vocabulary.ts";
import { type HubOptions, isModelId } from "../hub/fetch_model.ts";
import { DEFAULT_ENDPOINT } from "../hub/request.ts";
import { resolveModel } from "../hub/resolve_model.ts";
import { fetchFiles, type FetchOptions } from "./fetch_files.ts";

/** The path of a model's folder, or its files where there is no file system or the source is a URL. */
export async function locate(
  source: string | URL | CheckpointFiles,
  options: FetchOptions & { readonly hub?: HubOptions },
): Promise<string | CheckpointFiles> {
  const language = options.language === undefined ? {} : { language: options.language };
  if (source instanceof URL) return await fetchFiles(source, options);
  if (typeof source !== "string") return source;
  if (/^https?:\/\//.test(source)) return await fetchFiles(new URL(source), options);
  if (typeof Deno !== "undefined") return await resolveModel(source, { ...options.hub, ...language });
  const { endpoint = DEFAULT_ENDPOINT, revision = "main" } = options.hub ?? {};
  if (isModelId(source)) {
    return await fetchFiles(new URL(`${endpoint}/${source}/resolve/${revision}/`), options);
  }
  throw new TypeError(`Cannot load ${source} as there is no file system here: give a URL or files`);
}

/**
 * Returns a reader of the small files of a model: those of its folder, else those that its weight file implies. A vocabulary in
 * several languages is read as that of the model's language.
 *
 * @param source Path of its folder or weight file, or its files in memory.
 * @param checkpoint What was read from it.
 */
export async function readerOf(
  source: string | CheckpointFiles,
  { implied = {}, language }: Pick<Checkpoint, "implied" | "language">,
): Promise<ReadFile> {
  const read: ReadFile = typeof source === "string"
    ? folderReader(await smallFilesFolder(source))
    : (file) => Promise.resolve(Object.hasOwn(source.files, file) ? source.files[file]! : null);
  return inLanguage(
    async (file) =>
      await read(file) ?? (Object.hasOwn(implied, file) ? new TextEncoder().encode(implied[file]) : null),
    language,
    typeof source === "string" ? source : source.name ?? "the files",
  );
}

/** Reads the vocabulary of a language from files that may have several. */
function inLanguage(read: ReadFile, language: string | undefined, name: string): ReadFile {
  const textOf = async (file: string) => {
    const bytes = await read(file);
    return bytes ? new TextDecoder().decode(bytes) : undefined;
  };
  return async (file) => {
    if (file !== "vocab.json" && file !== "tokenizer_config.json") return await read(file);
    const [vocab, tokenizerConfig] = [await textOf("vocab.json"), await textOf("tokenizer_config.json")];
    if (vocab === undefined) return await read(file);
    const files = vocabularyOf({ vocab, tokenizerConfig }, language, `${name}/vocab.json`);
    const text = file === "vocab.json" ? files.vocab : files.tokenizerConfig;
    return text === undefined ? null : new TextEncoder().encode(text);
  };
}

/** Bytes of the weight file of a model; null if there is no `model.safetensors`. */
export async function weightBytes(place: string | CheckpointFiles): Promise<number | null> {
  if (typeof place !== "string") return place.files["model.safetensors"]?.length ?? null;
  return await Deno.stat(`${place}/model.safetensors`).then(({ size }) => size, () => null);
}
