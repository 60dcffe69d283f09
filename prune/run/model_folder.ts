import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { makeFolder, readFileIfExists, writeFileAtomic } from "../../files/atomic_file.ts";
import { type PruneRecord, RECORD_FILE } from "../record.ts";
import { encodePruneRecord, parsePruneRecord } from "../record_file.ts";

/** A compact model with its other files. */
export interface CompactModel {
  /** Weights and architecture. */
  readonly checkpoint: Checkpoint;
  /** Other files of the model by name, such as `vocab.json`. */
  readonly files: Readonly<Record<string, string>>;
  /** How it was pruned. */
  readonly record: PruneRecord;
  /** Whether to write weights as F16; default: false. */
  readonly half?: boolean;
}

/**
 * Writes a compact model: the files of the model that was pruned, `espalier.json`, `model.safetensors` and, last,
 * `config.json`, so that a folder with a config is complete. Each file is written completely or not at all.
 *
 * @param folder Folder of the model; it is created if it is missing.
 * @param model The model.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function writeCompactModel(
  folder: string,
  { checkpoint, files, record, half = false }: CompactModel,
): Promise<void> {
  await makeFolder(folder);
  const all = { ...files, [RECORD_FILE]: encodePruneRecord(record) };
  for (const [name, text] of Object.entries(all)) {
    if (name !== "config.json") await writeFileAtomic(`${folder}/${name}`, [new TextEncoder().encode(text)]);
  }
  await writeCheckpoint(folder, checkpoint, { dtype: half ? "F16" : "F32" });
}

/**
 * Reads the record of a model that was pruned before.
 *
 * @param folder Folder of the model.
 * @returns Its record, or null if it was not pruned.
 * @throws {SyntaxError | TypeError | RangeError} If it is malformed; one line.
 */
export async function readRecord(folder: string): Promise<PruneRecord | null> {
  const path = `${folder}/${RECORD_FILE}`;
  const bytes = await readFileIfExists(path);
  return bytes && parsePruneRecord(new TextDecoder().decode(bytes), path);
}
