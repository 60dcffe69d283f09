/**
 * The stages of a run and their results on disk: a resumed run finds here which stages are done.
 *
 * @module
 */
import { readFileIfExists, writeFileAtomic } from "../../files/atomic_file.ts";
import { digestOf } from "../../files/digest.ts";
import { printable, printableName } from "../../files/printable.ts";
import type { Fingerprints } from "../../train/fingerprints.ts";
import { checkFormatVersion } from "../../train/format_version.ts";

/** Version of the journal's format; other versions are refused. */
const VERSION = 3;

/** A stage that is done. */
interface Entry {
  readonly name: string;
  /** Wall time; of its last session if it was interrupted. */
  readonly seconds: number;
  /** Its result, as JSON. */
  readonly result: unknown;
}

/** Content of a journal. */
interface Content {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly fingerprints: Fingerprints;
  readonly stages: readonly Entry[];
}

/** Results of stages, in the order in which they were run, in one small JSON file. */
export class Journal {
  readonly #path: string | null;
  /** Options of the run. */
  readonly settings: Readonly<Record<string, unknown>>;
  #fingerprints: Fingerprints;
  #entries: readonly Entry[];

  private constructor(path: string | null, { settings, fingerprints, stages }: Content) {
    this.#path = path;
    this.settings = settings;
    this.#fingerprints = fingerprints;
    this.#entries = stages;
  }

  /**
   * Creates the journal of a new run; its folder must exist.
   *
   * @param path The file; null for a run without a folder, which cannot be resumed.
   * @param settings Options of the run, as JSON.
   * @param fingerprints Of what the run rests on.
   * @throws {Error} If it cannot be written; one line.
   */
  static async begin(
    path: string | null,
    settings: Readonly<Record<string, unknown>>,
    fingerprints: Fingerprints,
  ): Promise<Journal> {
    const journal = new Journal(path, { settings, fingerprints, stages: [] });
    await journal.#save();
    return journal;
  }

  /**
   * Opens the journal of a run.
   *
   * @param path The file.
   * @param writes Whether stages that are done are added to the file; default: true.
   * @returns The journal, or null if there is no file.
   * @throws {SyntaxError | Error} If it cannot be read, is damaged, or has another version of the format; one line that
   * names the file.
   */
  static async open(path: string, writes = true): Promise<Journal | null> {
    const bytes = await readFileIfExists(path);
    if (!bytes) return null;
    const json = parse(path, new TextDecoder().decode(bytes));
    checkFormatVersion(path, json["version"], VERSION);
    const { settings, fingerprints, stages, checksum } = json;
    if (!isObject(settings)) throw refused(path, "it must have the settings of the run");
    if (!isFingerprints(fingerprints)) throw refused(path, "it must have the fingerprints of the run");
    if (!Array.isArray(stages) || !stages.every(isEntry)) {
      throw refused(path, "it must have a list of stages");
    }
    const content = { settings, fingerprints, stages };
    if (checksum !== await checksumOf(content)) {
      throw refused(path, "its checksum differs, so it was changed");
    }
    return new Journal(writes ? path : null, content);
  }

  /** Fingerprints of what the run rests on. */
  get fingerprints(): Fingerprints {
    return this.#fingerprints;
  }

  /**
   * Takes stages as not done, as what they depend on has changed.
   *
   * @param names Names of the stages; those that are not done are ignored.
   * @param fingerprints Of what the run rests on now.
   * @throws {Error} If the file cannot be written; one line.
   */
  async redo(names: readonly string[], fingerprints: Fingerprints): Promise<void> {
    this.#entries = this.#entries.filter(({ name }) => !names.includes(name));
    this.#fingerprints = fingerprints;
    await this.#save();
  }

  /** Stages that are done, with their wall time. */
  get stages(): readonly { readonly name: string; readonly seconds: number }[] {
    return this.#entries.map(({ name, seconds }) => ({ name, seconds }));
  }

  /**
   * Runs a stage, unless it is done already.
   *
   * @param name Name of the stage, unique in the run.
   * @param work The stage; it returns null if it was interrupted.
   * @returns Its result, converted to JSON and back, whether it is new or from an earlier session.
   * @throws {Error} What `work` throws, or if the file cannot be written.
   */
  async runStage<T>(name: string, work: () => Promise<T | null>): Promise<T | null> {
    const done = this.#entries.find((entry) => entry.name === name);
    if (done) return done.result as T;
    const start = performance.now();
    const result = await work();
    if (result === null) return null;
    const seconds = Math.round(performance.now() - start) / 1000;
    const saved = JSON.parse(JSON.stringify(result)) as T;
    this.#entries = [...this.#entries, { name, seconds, result: saved }];
    await this.#save();
    return saved;
  }

  async #save(): Promise<void> {
    if (this.#path === null) return;
    const content = { settings: this.settings, fingerprints: this.#fingerprints, stages: this.#entries };
    const json = { version: VERSION, checksum: await checksumOf(content), ...content };
    await writeFileAtomic(this.#path, JSON.stringify(json, null, 2) + "\n");
  }
}

async function checksumOf(content: Content): Promise<string> {
  return await digestOf(JSON.stringify(content));
}

function parse(path: string, text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refused(path, printable((error as Error).message));
  }
  if (!isObject(json)) throw refused(path, "it must be an object");
  return json;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFingerprints(value: unknown): value is Fingerprints {
  return isObject(value) && Object.values(value).every((one) => typeof one === "string");
}

function isEntry(value: unknown): value is Entry {
  return isObject(value) && typeof value["name"] === "string" && typeof value["seconds"] === "number";
}

function refused(path: string, why: string): SyntaxError {
  return new SyntaxError(
    `Cannot resume from ${printableName(path)} as it must be the journal of a run: ${why}`,
  );
}
