// The folder and the journal of a run that a program begins.

import { makeFolder } from "../../files/atomic_file.ts";
import { changedInputs, changesText, type Fingerprints } from "../../train/fingerprints.ts";
import { checkSameOptions, LIBRARY } from "../../train/library_options.ts";
import { isFreeForRun } from "../../train/run_folder.ts";
import { Journal } from "./stages.ts";

/** What a run leaves that is killed before its journal is on disk. */
export const EARLY_FILES = { folder: "run", files: [] } as const;

/** A run of a program. */
export interface LibraryRun {
  /** Folder that it has claimed; null for memory. */
  readonly out: string | null;
  /** Whether it continues the run in its folder, if there is one. */
  readonly resume: boolean;
  /** The options that were given, as JSON. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Of what the run rests on. */
  readonly inputs: Fingerprints;
}

/**
 * Begins or opens the journal of a run.
 *
 * @throws {Error} If the folder is not empty, or its run has other options or inputs; one line.
 */
export async function openLibraryJournal({ out, resume, given, inputs }: LibraryRun): Promise<Journal> {
  const settings = { [LIBRARY]: given };
  if (out === null) return await Journal.begin(null, settings, inputs);
  const path = `${out}/run/journal.json`;
  const saved = resume ? await Journal.open(path) : null;
  if (saved) {
    checkSame(out, saved, given, inputs);
    return saved;
  }
  if (!await isFreeForRun(out, EARLY_FILES)) {
    throw new Error(
      `Cannot prune into ${out} as the folder must be empty or have a run to resume: it has files`,
    );
  }
  await makeFolder(`${out}/run`);
  return await Journal.begin(path, settings, inputs);
}

function checkSame(
  out: string,
  { settings, fingerprints }: Journal,
  given: Readonly<Record<string, unknown>>,
  inputs: Fingerprints,
): void {
  checkSameOptions(out, settings, given);
  const changed = changedInputs(fingerprints, inputs).filter((input) => input !== "version");
  if (changed.length === 0) return;
  const text = changesText(changed, fingerprints, inputs);
  throw new Error(`Cannot resume ${out} as its inputs must be as they were: ${text} changed since it began`);
}
