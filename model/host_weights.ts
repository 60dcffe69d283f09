import { readTogether } from "../tensor/read_together.ts";
import type { Weight } from "./checkpoint/types.ts";
import type { SpeechModel } from "./speech_model.ts";

/**
 * Reads the weights of a model back to the host, in the published layout.
 *
 * @param model Model on the device, in f32.
 * @param names Weights to read, in this order; default: all.
 */
export async function hostWeights(
  { weights }: SpeechModel,
  names: Iterable<string> = weights.names,
): Promise<Map<string, Weight>> {
  const tensors = new Map<string, Weight>();
  const bytesOf = (name: string) => weights.get(name).size * 4;
  const read = readTogether(names, bytesOf, async (name) => [name, await weights.read(name)] as const);
  for await (const [name, weight] of read) tensors.set(name, weight);
  return tensors;
}
