import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { writeFileAtomic } from "../../files/atomic_file.ts";
import { type PruneRecord, RECORD_FILE } from "../record.ts";
import { encodePruneRecord } from "../record_file.ts";

/** A compact model with what stands beside it. */
export interface CompactModel {
  /** Weights and architecture. */
  readonly checkpoint: Checkpoint;
  /** Other files of the model by name, such as `vocab.json`. */
  readonly files: Readonly<Record<string, string>>;
  /** How it was pruned. */
  readonly record: PruneRecord;
  /** Whether weights are written as F16; false unless given. */
  readonly half?: boolean;
}

/**
 * Writes a compact model: `config.json`, `model.safetensors`, `espalier.json`, and the files that came with the model it
 * was cut from; each whole or not at all, the weights last but one so that a folder with a config is complete.
 *
 * @param folder Where to; it is made where it is missing.
 * @throws {Error} If the system refuses; one line.
 */
export async function writeCompactModel(
  folder: string,
  { checkpoint, files, record, half = false }: CompactModel,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true }).catch((cause) => {
    const why = (cause as Error).message.replace(/: \w+ '.*$/s, "");
    throw new Error(`Cannot write ${folder} as the system refuses: ${why}`, { cause });
  });
  const all = { ...files, [RECORD_FILE]: encodePruneRecord(record) };
  for (const [name, text] of Object.entries(all)) {
    if (name !== "config.json") await writeFileAtomic(`${folder}/${name}`, [new TextEncoder().encode(text)]);
  }
  await writeCheckpoint(folder, checkpoint, { dtype: half ? "F16" : "F32" });
}
