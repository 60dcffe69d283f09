import type { HostModel } from "../model/speech_model.ts";

/** The name of a tensor without the prefix `wav2vec2.`, `hubert.` or `wavlm.`. */
export function bareName(name: string): string {
  return name.replace(/^(wav2vec2|hubert|wavlm)\./, "");
}

/**
 * A tensor of a model by its name without prefix, whether or not the model's names have one.
 *
 * @throws {TypeError} If it is missing.
 */
export function tensorOf(
  { config, tensors }: Pick<HostModel, "config" | "tensors">,
  name: string,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const tensor = tensors.get(name) ?? tensors.get(`${config.model_type}.${name}`);
  if (!tensor) throw new TypeError(`Cannot prune the model as it must have a tensor ${name}: it is missing`);
  return tensor;
}
