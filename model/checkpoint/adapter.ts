// Adapters of languages, as MMS has them: files with the weights of all layers' adapters, and of a head for the vocabulary.
import { printable } from "../../files/printable.ts";
import type { ModelConfig } from "../config_types.ts";
import { isTorchaudio, parseTensorName } from "./names.ts";
import { type ModelFolder, readWeightFile, type WeightFile } from "./weight_files.ts";

/**
 * Names of the file with the adapter of a language, in order of preference.
 *
 * @throws {RangeError} If the language is not a plain name, such as `fra` or `azj-script_latin`.
 */
export function adapterFiles(language: string): string[] {
  if (!/^\w[\w-]{0,63}$/.test(language)) {
    throw new RangeError(
      `Cannot load an adapter as a language must be a name such as fra: ${printable(language)}`,
    );
  }
  return [`adapter.${language}.safetensors`, `adapter.${language}.bin`];
}

/** Languages of the adapters among file names, sorted. */
export function languagesIn(files: readonly string[]): string[] {
  const names = files.flatMap((file) => /^adapter\.(\w[\w-]*)\.(safetensors|bin)$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

/** What is wrong where the adapter of a language is missing: it names languages that there are. */
export function missingAdapter(language: string, files: readonly string[]): string {
  const languages = languagesIn(files);
  const more = languages.length > 8 ? ` and ${languages.length - 8} more` : "";
  const others = languages.length > 0 ? `, there are ${languages.slice(0, 8).join(", ")}${more}` : "";
  return `an adapter of ${language} is required: ${adapterFiles(language)[0]} is missing${others}`;
}

/** A model with the adapter of a language. */
export interface Adapted {
  /** Architecture, with the size of the head of the language. */
  readonly config: ModelConfig;
  /** Its files, without the tensors that the adapter replaces, and that of the adapter. */
  readonly files: readonly WeightFile[];
}

/**
 * Replaces tensors of a model by those of the adapter of a language: of the layers' adapters and of the head.
 *
 * @param place Folder of the model.
 * @param language Language of the adapter.
 * @param config Architecture.
 * @param files Weight files of the model.
 * @throws {RangeError} If the model has no adapters.
 * @throws {Error} If the folder has no adapter of this language; one line that lists languages.
 */
export async function withAdapter(
  place: ModelFolder,
  language: string,
  config: ModelConfig,
  files: readonly WeightFile[],
): Promise<Adapted> {
  const task = `Cannot load ${printable(place.folder)} as`;
  if (config.adapter_attn_dim === null) {
    throw new RangeError(`${task} a model with a language must have adapters: adapter_attn_dim is absent`);
  }
  const [adapter] = adapterFiles(language).flatMap((file) => readWeightFile(place, file) ?? []);
  if (!adapter) throw new Error(`${task} ${missingAdapter(language, await place.list())}`);
  const torchaudio = isTorchaudio(files.flatMap(({ content }) => [...content.tensors.keys()]));
  const keyOf = (name: string) => {
    const parsed = parseTensorName(name, torchaudio);
    return "keys" in parsed ? parsed.keys.join() : name;
  };
  const replaced = new Set([...adapter.content.tensors.keys()].map(keyOf));
  const others = files.map((file) => {
    const tensors = [...file.content.tensors].filter(([name]) => !replaced.has(keyOf(name)));
    return { ...file, content: { ...file.content, tensors: new Map(tensors) } };
  });
  const vocab_size = adapter.content.tensors.get("lm_head.weight")?.shape[0] ?? config.vocab_size;
  return { config: { ...config, vocab_size }, files: [...others, adapter] };
}
