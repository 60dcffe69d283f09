import { FAMILIES } from "../model/families.ts";
import type { HostModel } from "../model/speech_model.ts";

/**
 * A tensor of a model by its name without prefix, whether or not the model's names have one.
 *
 * @throws {TypeError} If it is missing.
 */
export function tensorOf(
  { config, tensors }: Pick<HostModel, "config" | "tensors">,
  name: string,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const tensor = tensors.get(name) ?? tensors.get(FAMILIES[config.model_type].prefix + name);
  if (!tensor) throw new TypeError(`Cannot prune the model as it must have a tensor ${name}: it is missing`);
  return tensor;
}
