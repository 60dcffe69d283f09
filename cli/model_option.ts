import { type LoadedModel, loadModel } from "../model/load.ts";
import { openGpu } from "./backend.ts";
import { fromUser, onFiles } from "./files.ts";

/** The option that names a model. */
export const modelOption = {
  type: "string",
  description: "model folder, or its name on the hub, such as facebook/wav2vec2-base-100h",
  required: true,
} as const;

/**
 * Loads the model that the user named to the device, and tells what there is to know about its files.
 *
 * @param model the option's value
 * @throws {UserError} its files are wrong, or there is no adapter; one line
 */
export async function openModel(model: string): Promise<LoadedModel> {
  const gpu = await openGpu();
  const loaded = await onFiles(() => loadModel(fromUser(model), { gpu }));
  for (const note of loaded.notes) console.error(`note: ${note}`);
  return loaded;
}
