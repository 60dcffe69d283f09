// Writes whole models: config, weights and the small files.

import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import type { Checkpoint } from "../checkpoint/types.ts";
import { encodeCheckpoint, writeCheckpoint } from "../checkpoint/write.ts";
import { encodeConfig } from "../config_encode.ts";
import type { ModelFiles } from "./model_files.ts";

/** A model on the host with its small files. */
export interface ModelOnHost {
  /** Weights and architecture. */
  readonly checkpoint: Checkpoint;
  /** Its files besides config and weights, as text by name. */
  readonly files: ModelFiles;
  /** Dtype of the weights in their file. */
  readonly dtype: "F32" | "F16";
}

/**
 * Writes a model as a folder: the small files, `model.safetensors` and, last, `config.json`, so that a folder with a config is
 * complete. Each file is written completely or not at all.
 *
 * @param folder Path of the folder; it is created if it is missing.
 * @param model The model.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function writeModel(folder: string, { checkpoint, files, dtype }: ModelOnHost): Promise<void> {
  await makeFolder(folder);
  for (const [name, text] of Object.entries(files)) {
    if (name !== "config.json") await writeFileAtomic(`${folder}/${name}`, text);
  }
  await writeCheckpoint(folder, checkpoint, { dtype });
}

/** The files of a model in memory, by name. @param model The model. */
export function encodeModel({ checkpoint, files, dtype }: ModelOnHost): Record<string, Uint8Array> {
  const encoder = new TextEncoder();
  return {
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [name, encoder.encode(text)])),
    "config.json": encoder.encode(encodeConfig(checkpoint.config)),
    "model.safetensors": encodeCheckpoint(checkpoint, { dtype }),
  };
}
