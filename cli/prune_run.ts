/**
 * A pruning run of the command line: opened, checked, begun or resumed. `prune` and `sweep` make their runs with it.
 *
 * @module
 */
import type { Communicator } from "../comm/communicator.ts";
import { makeFolder } from "../files/atomic_file.ts";
import { parseKinds } from "../prune/groups.ts";
import { planMethod } from "../prune/method.ts";
import { openPruneRun, planRun, type PruneRun, taskOf } from "../prune/run/open_run.ts";
import { pipelineMemory } from "../prune/run/pipeline_memory.ts";
import type { PlannedRun } from "../prune/run/pipeline_options.ts";
import { runInputs } from "../prune/run/run_inputs.ts";
import type { RunStore } from "../prune/run/run_store.ts";
import { checkTogether, type PruneSettings as RunSettings } from "../prune/run/settings.ts";
import { Journal } from "../prune/run/stages.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { Fingerprints } from "../train/fingerprints.ts";
import { LIBRARY } from "../train/library_options.ts";
import { commandsCorpus } from "./commands_corpus.ts";
import { pruneSources } from "./corpus_options.ts";
import { requireSameInputs, requireUtterances } from "./job.ts";
import { progressOf } from "./long_run.ts";
import { atRevision, folderOf, readBaseModel } from "./model_option.ts";
import { libraryNames, optionName, type Values, withDefaults } from "./options.ts";
import { pruneOptions, type PruneSettings } from "./prune_options.ts";
import { type MemoryReport, memoryReport } from "./resources.ts";
import { changedOptions, savedSettings } from "./run_settings.ts";
import { shellWord } from "./shell_word.ts";
import { log, note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Options of a run, with their defaults, which fit together. */
export interface CheckedSettings {
  /** As they were given or saved. */
  readonly settings: PruneSettings;
  readonly values: Values<typeof pruneOptions>;
  /** For the library. */
  readonly runSettings: RunSettings;
}

/** Fills in the defaults of options. @throws {RangeError} If they do not fit together. */
export function checkedSettings(settings: PruneSettings): CheckedSettings {
  const values = withDefaults(pruneOptions, settings);
  const runSettings = { ...libraryNames(values), kinds: parseKinds(values.prune) };
  checkTogether(runSettings, optionName);
  return { settings, values, runSettings };
}

/** A run that can begin. */
export interface OpenedRun extends Disposable {
  readonly run: PruneRun;
  readonly plan: PlannedRun;
  /** Fingerprints of what it rests on. */
  readonly inputs: Fingerprints;
  readonly memory: MemoryReport;
}

/**
 * Opens model and corpus of a run, and checks everything that can be checked before its first file is written.
 *
 * @param checked its options
 * @param place device, what is kept, and the processes of its job
 * @throws {Error} a file is missing or wrong, or the target cannot be met; one line
 */
export async function openRun(
  { settings, values, runSettings }: CheckedSettings,
  { gpu, store, comm = null }: { gpu: Gpu; store: RunStore; comm?: Communicator | null },
): Promise<OpenedRun> {
  const name = atRevision(values.model!, values.revision);
  const folder = await folderOf(values.model!, values);
  const model = await readBaseModel(folder, name, values);
  const task = taskOf(model, values.task);
  const sources = pruneSources(values.data ?? await commandsCorpus(), values);
  const run = await openPruneRun(model, task, sources, runSettings);
  try {
    for (const text of run.notes) note(text);
    const inputs = await runInputs(run);
    await requireSameInputs(comm, { ...inputs, options: settings });
    requireUtterances(comm, run.corpus.train.utterances.length);
    const tools = { gpu, store, settings: runSettings, progressOf };
    const plan = { ...planRun(run, { ...tools, onStage: (_, line) => log(line) }), comm };
    planMethod(model.checkpoint.config, plan);
    const memory = memoryReport(gpu, await pipelineMemory({ ...plan, comm: null }));
    return { run, plan, inputs, memory, [Symbol.dispose]: () => run[Symbol.dispose]() };
  } catch (error) {
    run[Symbol.dispose]();
    throw error;
  }
}

/** A run that was begun: its journal, and its options as they were saved. */
export interface SavedRun {
  readonly journal: Journal;
  readonly settings: PruneSettings;
}

/**
 * Opens the journal of a run.
 *
 * @param out folder of the run
 * @param given options that must be as they were
 * @param writes whether stages that are done are added to it
 * @returns null where there is none
 * @throws {UserError} it has other options, or is of a program
 */
export async function openJournal(
  out: string,
  given: PruneSettings,
  writes: boolean,
): Promise<SavedRun | null> {
  const journal = await Journal.open(`${out}/run/journal.json`, writes);
  if (!journal) return null;
  if (journal.settings[LIBRARY] !== undefined) {
    throw new UserError(`Cannot resume ${out} as the command line must have begun it: it is a program's run`);
  }
  const settings = savedSettings(journal.settings, pruneOptions);
  for (const { name, before } of changedOptions(pruneOptions, given, settings)) {
    throw new UserError(`Cannot resume ${out} as --${name} must be as it was: ${before}`);
  }
  return { journal, settings };
}

/**
 * Begins the journal of a run.
 *
 * @param out folder of the run
 * @param settings its options
 * @param inputs fingerprints of what it rests on
 * @param writes whether this process writes it
 */
export async function beginJournal(
  out: string,
  settings: PruneSettings,
  inputs: Fingerprints,
  writes: boolean,
): Promise<Journal> {
  if (writes) await makeFolder(`${out}/run`);
  return await Journal.begin(writes ? `${out}/run/journal.json` : null, settings, inputs);
}

/** The command line that repeats a run, or a sweep. */
export function commandOf(command: string, settings: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(settings).map(([name, value]) => {
    if (typeof value === "boolean") return value ? `--${name}` : `--no-${name}`;
    return `--${name} ${shellWord(String(value))}`;
  });
  return [`./espalier ${command}`, ...words].join(" ");
}
