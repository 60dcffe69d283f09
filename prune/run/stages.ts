// What of a run is done, in one small file: a run that goes on finds the results of its phases here.

import { readFileIfExists, writeFileAtomic } from "../../files/atomic_file.ts";
import { printable } from "../../files/printable.ts";

/** A phase that is done. */
interface Entry {
  readonly name: string;
  /** Wall time, that of its last sitting where it was interrupted. */
  readonly seconds: number;
  /** What it found, as JSON. */
  readonly result: unknown;
}

/** Results of phases on disk, in the order in which they were done. */
export class Journal {
  readonly #path: string;
  /** What the run was begun with. */
  readonly settings: Readonly<Record<string, unknown>>;
  #entries: readonly Entry[];

  private constructor(path: string, settings: Readonly<Record<string, unknown>>, entries: readonly Entry[]) {
    this.#path = path;
    this.settings = settings;
    this.#entries = entries;
  }

  /**
   * Begins a journal; its folder must be there.
   *
   * @param path The file.
   * @param settings What the run is begun with, as JSON.
   * @throws {Error} If it cannot be written; one line.
   */
  static async begin(path: string, settings: Readonly<Record<string, unknown>>): Promise<Journal> {
    const journal = new Journal(path, settings, []);
    await journal.#save();
    return journal;
  }

  /**
   * Opens the journal of a run.
   *
   * @returns It, or null if there is none.
   * @throws {SyntaxError | Error} If it cannot be read; one line that names the file.
   */
  static async open(path: string): Promise<Journal | null> {
    const bytes = await readFileIfExists(path);
    if (!bytes) return null;
    try {
      const { settings, phases } = JSON.parse(new TextDecoder().decode(bytes));
      if (typeof settings !== "object" || settings === null || !Array.isArray(phases)) {
        throw new SyntaxError("it has no settings and phases");
      }
      return new Journal(path, settings, phases);
    } catch (cause) {
      const why = printable((cause as Error).message);
      throw new SyntaxError(`Cannot resume as ${printable(path)} must be the journal of a run: ${why}`, {
        cause,
      });
    }
  }

  /** Phases that are done, with their wall time. */
  get phases(): readonly { readonly name: string; readonly seconds: number }[] {
    return this.#entries.map(({ name, seconds }) => ({ name, seconds }));
  }

  /**
   * Does a phase, unless it is done already.
   *
   * @param name Phase, of which there is one.
   * @param work What to do; null for a phase that was interrupted and is not done.
   * @returns What it found, now or earlier, after a detour over JSON both times.
   * @throws {Error} What the work throws, or if the file cannot be written.
   */
  async runStage<T>(name: string, work: () => Promise<T | null>): Promise<T | null> {
    const done = this.#entries.find((entry) => entry.name === name);
    if (done) return done.result as T;
    const start = performance.now();
    const result = await work();
    if (result === null) return null;
    const seconds = Math.round(performance.now() - start) / 1000;
    const kept = JSON.parse(JSON.stringify(result)) as T;
    this.#entries = [...this.#entries, { name, seconds, result: kept }];
    await this.#save();
    return kept;
  }

  async #save(): Promise<void> {
    const text = JSON.stringify({ settings: this.settings, phases: this.#entries }, null, 2) + "\n";
    await writeFileAtomic(this.#path, [new TextEncoder().encode(text)]);
  }
}
