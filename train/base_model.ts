import type { LoadedModel } from "../model/inference/loaded_model.ts";
import type { BaseModel } from "./start.ts";

/**
 * A loaded model as the start of a run: its weights are read back from the device.
 *
 * @param model The model.
 * @throws {TypeError} If it was disposed, or its weights are f16 on the device.
 */
export async function baseModelOf(model: LoadedModel): Promise<BaseModel> {
  const { name, files, fileBytes } = model;
  return { name, files, fileBytes, checkpoint: await model.checkpoint() };
}
