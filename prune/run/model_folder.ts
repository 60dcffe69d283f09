import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { tokenizerConfig } from "../../model/transformers/tokenizer_config.ts";
import { json, RECORD_FILE, tokenizerIn } from "../../train/model_files.ts";
import type { PruneRecord } from "../record.ts";
import { encodePruneRecord } from "../record_file.ts";

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
 * Writes a compact model: the files of the model that was pruned, `espalier.json`, what transformers needs to load it,
 * `model.safetensors` and, last, `config.json`, so that a folder with a config is complete. Each file is written completely or not at all.
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
  const all: Record<string, string> = { ...files, [RECORD_FILE]: encodePruneRecord(record) };
  if (all["vocab.json"] !== undefined) {
    all["tokenizer_config.json"] ??= json(tokenizerConfig(tokenizerIn(all, `${folder}/vocab.json`)));
  }
  for (const [name, text] of Object.entries(all)) {
    if (name !== "config.json") await writeFileAtomic(`${folder}/${name}`, [new TextEncoder().encode(text)]);
  }
  await writeCheckpoint(folder, checkpoint, { dtype: half ? "F16" : "F32" });
}
