import type { CheckpointFiles } from "../../model/checkpoint/read.ts";
import { weightBytes } from "../../model/inference/model_source.ts";
import { encodeModel, type ModelOnHost, writeModel } from "../../model/inference/write_model.ts";
import { type MetricsRecord, readMetrics } from "../../train/metrics.ts";

/** Models of a run: after surgery, the best one of fine-tuning, and the result. */
export type RunModel = "compact" | "finetuned" | "result";

/** Training phases of a run, by their folders. */
export type RunPhase = "prune" | "finetune";

/**
 * What a run keeps between its stages: models and metrics, in its folder or in memory. The result is the folder itself, the
 * rest is below `run/`.
 */
export class RunStore {
  /** Folder of the run; null for memory. */
  readonly out: string | null;
  /** Whether it writes; false for processes that read what rank 0 writes. */
  readonly writes: boolean;
  readonly #files = new Map<RunModel, CheckpointFiles>();
  readonly #metrics = { prune: [] as MetricsRecord[], finetune: [] as MetricsRecord[] };

  /** @param out Folder of the run; null for memory. @param writes Whether to write; default: true. */
  constructor(out: string | null, writes = true) {
    this.out = out;
    this.writes = writes;
  }

  /** Folder or files of a model. @throws {ReferenceError} If it is in memory and was not written. */
  place(which: RunModel): string | CheckpointFiles {
    if (this.out !== null) return folderIn(this.out, which);
    const files = this.#files.get(which);
    if (!files) throw new ReferenceError(`The run has no ${which} model yet`);
    return files;
  }

  /** Writes a model, each file completely or not at all. @throws {Error} If a file cannot be written; one line. */
  async write(which: RunModel, model: ModelOnHost): Promise<void> {
    if (!this.writes) return;
    if (this.out !== null) return await writeModel(folderIn(this.out, which), model);
    this.#files.set(which, { files: encodeModel(model), name: `the ${which} model` });
  }

  /** Bytes of the weights of a model; null if they are not in one file. */
  async bytes(which: RunModel): Promise<number | null> {
    return await weightBytes(this.place(which));
  }

  /** Keeps a line of the metrics, which the training loop writes to the folder if there is one. */
  addMetrics(phase: RunPhase, record: MetricsRecord): void {
    if (this.out === null) this.#metrics[phase].push(record);
  }

  /** Metrics of a phase. @throws {Error} If they cannot be read; one line. */
  async metrics(phase: RunPhase): Promise<readonly MetricsRecord[]> {
    if (this.out === null) return this.#metrics[phase];
    return await readMetrics(`${this.out}/run/${phase}/metrics.jsonl`);
  }
}

function folderIn(out: string, which: RunModel): string {
  return { compact: `${out}/run/compact`, finetuned: `${out}/run/finetune`, result: out }[which];
}
