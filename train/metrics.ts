import { fileError, readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";

/** A line of the metrics: the results of a step or of an evaluation. */
export type MetricsRecord = Readonly<Record<string, number | string | boolean | null>> & {
  /** Steps done. */
  readonly step: number;
};

/**
 * Metrics of a run in a file of JSON lines. Each line is appended in one write.
 *
 * @example
 * ```ts ignore
 * using log = await MetricsLog.open("out/metrics.jsonl", 0);
 * log.write({ step: 1, loss: 3.2 });
 * ```
 */
export class MetricsLog {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens a file for appending. Lines of steps after the one that a run resumes from are dropped, and so is an
   * incomplete last line.
   *
   * @param path The file; it may be missing.
   * @param step Steps done; lines of later steps are dropped.
   * @throws {Error} If it cannot be read or written; one line.
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const kept = (await readMetrics(path)).filter((record) => record.step <= step);
    await writeFileAtomic(path, [
      new TextEncoder().encode(kept.map((record) => JSON.stringify(record) + "\n").join("")),
    ]);
    try {
      return new MetricsLog(path, await Deno.open(path, { append: true }));
    } catch (error) {
      throw fileError("write", path, error);
    }
  }

  /** Appends a line. @throws {Error} If the file cannot be written; one line. */
  write(record: MetricsRecord): void {
    const line = new TextEncoder().encode(JSON.stringify(record) + "\n");
    try {
      for (let at = 0; at < line.length;) at += this.#file.writeSync(line.subarray(at));
    } catch (error) {
      throw fileError("write", this.#path, error);
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Reads metrics. Lines that are not records, such as an incomplete last one, are skipped.
 *
 * @returns The records in their order; empty if there is no file.
 * @throws {Error} If it cannot be read; one line.
 */
export async function readMetrics(path: string): Promise<MetricsRecord[]> {
  const bytes = await readFileIfExists(path);
  if (!bytes) return [];
  return new TextDecoder().decode(bytes).split("\n").flatMap((line) => {
    try {
      const record = JSON.parse(line);
      return Number.isSafeInteger(record?.step) ? [record as MetricsRecord] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Writes metrics as a table beside their file, with the extension `.csv`: a row per record, a column per name. What a record has not is
 * empty.
 *
 * @param path The file of JSON lines.
 * @throws {Error} If a file cannot be read or written; one line.
 */
export async function writeMetricsTable(path: string): Promise<void> {
  const records = await readMetrics(path);
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const field = (value: unknown) => {
    const text = String(value ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = [names, ...records.map((record) => names.map((name) => record[name]))];
  const table = rows.map((row) => row.map(field).join(",") + "\n").join("");
  await writeFileAtomic(path.replace(/\.jsonl$/, ".csv"), table);
}
