import type { HostModel } from "../model/speech_model.ts";

/** A tensor's name without `wav2vec2.`, `hubert.` or `wavlm.` before it. */
export function bareName(name: string): string {
  return name.replace(/^(wav2vec2|hubert|wavlm)\./, "");
}

/**
 * A tensor of a model by its published name without prefix, whether the model's names have one or not.
 *
 * @throws {TypeError} If there is none.
 */
export function tensorOf(
  { config, tensors }: Pick<HostModel, "config" | "tensors">,
  name: string,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const tensor = tensors.get(name) ?? tensors.get(`${config.model_type}.${name}`);
  if (!tensor) throw new TypeError(`Cannot prune the model as it must have a tensor ${name}: it is missing`);
  return tensor;
}
