// The folder of a sweep: its runs, which of them are finished or failed, and what they share.

import { makeFolder, readFileIfExists, writeFileAtomic } from "../../files/atomic_file.ts";
import { digestOf } from "../../files/digest.ts";
import { acquireLock } from "../../files/lock.ts";
import type { Evaluation } from "../../model/inference/evaluate.ts";
import { changedInputs, type Fingerprints, type Input } from "../../train/fingerprints.ts";
import type { PruneReport } from "../report/report.ts";
import { Journal } from "../run/stages.ts";
import { resultOf, type RunKey, type SweepRecord, type SweepRun } from "./record.ts";

/** What the runs of a sweep must have in common, so that their results can be compared. */
const COMPARED: readonly Input[] = ["model", "vocabulary", "test"];

/** Called where another process holds a lock that is waited for. */
type OnWait = (holder: string) => void;

/** A run in a folder. */
export interface RunFolder {
  readonly inputs: Fingerprints;
  /** Stages that are done. */
  readonly stages: readonly { readonly name: string; readonly seconds: number }[];
  /** Whether it has its report with all pictures. */
  readonly finished: boolean;
}

/** Reads a run. Null where none was begun. @throws {Error} If its journal is damaged; one line. */
export async function readRunFolder(out: string): Promise<RunFolder | null> {
  const journal = await Journal.open(`${out}/run/journal.json`, false);
  if (!journal) return null;
  const { fingerprints: inputs, stages } = journal;
  return {
    inputs,
    stages,
    finished: stages.some(({ name }) => name === "measure time") && await hasPage(out),
  };
}

/** Whether a report has its page and, in PNG, which is written last, its pictures. */
async function hasPage(out: string): Promise<boolean> {
  const names = await Array.fromAsync(Deno.readDir(`${out}/plots`)).catch(() => []);
  const kinds = ["svg", "png"].map((kind) => names.filter(({ name }) => name.endsWith(`.${kind}`)).length);
  return kinds[0] === kinds[1] && await Deno.stat(`${out}/report.html`).then(() => true, () => false);
}

/** A run that failed. */
export interface Failure {
  /** When, ISO 8601. */
  readonly date: string;
  /** One line. */
  readonly error: string;
}

/** A sweep's folder. */
export class SweepFolder {
  readonly dir: string;

  /** @param dir Its path. */
  constructor(dir: string) {
    this.dir = dir;
  }

  /** How a run failed; null if it did not. */
  async failure(name: string): Promise<Failure | null> {
    return await readJson(this.#failed(name));
  }

  /** Keeps how a run failed, or that it did not. */
  async setFailure(name: string, failure: Failure | null): Promise<void> {
    const path = this.#failed(name);
    if (!failure) return await Deno.remove(path).catch(() => {});
    await makeFolder(`${this.dir}/failed`);
    await writeJson(path, failure);
  }

  #failed(name: string): string {
    return `${this.dir}/failed/${name}.json`;
  }

  /** Evaluates the model before pruning, once for all runs with the same model and test set. */
  async evaluateDense(
    inputs: Fingerprints,
    evaluate: () => Promise<Evaluation>,
    onWait: OnWait,
  ): Promise<Evaluation> {
    const key = await digestOf(JSON.stringify([inputs["version"], ...COMPARED.map((name) => inputs[name])]));
    const path = `${this.dir}/dense/${key.replace(/^\w*:/, "").slice(0, 16)}.json`;
    using _lock = await acquireLock(`${path}.lock`, { target: path, onWait });
    const known = await readJson<Evaluation>(path);
    if (known) return known;
    const evaluation = await evaluate();
    await writeJson(path, evaluation);
    return evaluation;
  }

  /**
   * Brings `sweep.json` up to date: the runs of this sweep, and those of earlier commands with the same folder.
   *
   * @param planned The runs.
   * @param command The command line.
   * @param version Version of this program.
   * @param work Makes more from the record while no other process does.
   * @throws {Error} If a run has another model or test set than the others; one line.
   */
  async update(
    planned: readonly RunKey[],
    { command, version, onWait }: { command: string; version: string; onWait: OnWait },
    work: (record: SweepRecord) => Promise<void>,
  ): Promise<SweepRecord> {
    const path = `${this.dir}/sweep.json`;
    using _lock = await acquireLock(`${path}.lock`, { target: path, onWait });
    const before = await readJson<SweepRecord>(path);
    if (before && !(Array.isArray(before.runs) && Array.isArray(before.commands))) {
      throw new SyntaxError(
        `Cannot read ${path} as it must be the record of a sweep: remove it, and it is written anew`,
      );
    }
    const names = planned.map(({ name }) => name);
    const keys = [...before?.runs.filter(({ name }) => !names.includes(name)) ?? [], ...planned];
    const commands = [...new Set([...before?.commands ?? [], command])];
    const record = { version, commands, ...await this.#read(keys) };
    await writeJson(path, record);
    await work(record);
    return record;
  }

  /** Results of runs. */
  async #read(keys: readonly RunKey[]): Promise<Pick<SweepRecord, "date" | "common" | "runs">> {
    const runs: SweepRun[] = [];
    let first: { readonly inputs: Fingerprints; readonly report: PruneReport } | null = null;
    for (const { name, method, target, seed, options } of keys) {
      const out = `${this.dir}/runs/${name}`;
      const run = await readRunFolder(out);
      const failure = await this.failure(name);
      const report = run?.finished ? await readJson<PruneReport>(`${out}/report.json`) : null;
      const result = report && resultOf(report);
      const state = result ? "finished" : failure ? "failed" : "unfinished";
      runs.push({ name, method, target, seed, options, state, error: failure?.error ?? null, result });
      if (!run || !report) continue;
      first ??= { inputs: run.inputs, report };
      const other = changedInputs(first.inputs, run.inputs).filter((input) => COMPARED.includes(input));
      if (other.length === 0) continue;
      throw new Error(
        `Cannot compare the runs of ${this.dir} as their ${other[0]} must be the same: ${name} has another`,
      );
    }
    const dates = runs.flatMap(({ result }) => result ? [result.date] : []).sort();
    return { date: dates.at(-1) ?? "", common: first && commonOf(first.report), runs };
  }
}

function commonOf({ task, base_model, data, models }: PruneReport): SweepRecord["common"] {
  return { task, base_model, data, dense: models[0]! };
}

async function readJson<T>(path: string): Promise<T | null> {
  const bytes = await readFileIfExists(path);
  if (!bytes) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path} as it must be JSON: ${(error as Error).message}`);
  }
}

/** Writes JSON, each list of counts on one line. */
async function writeJson(path: string, value: unknown): Promise<void> {
  // JSON strings have no line breaks, so that only lists match.
  const text = JSON.stringify(value, null, 2)
    .replace(/\[\n[-+.\deE,\s]*\]/g, (list) => list.replace(/\s+/g, "").replaceAll(",", ", "));
  await writeFileAtomic(path, [new TextEncoder().encode(text + "\n")]);
}
