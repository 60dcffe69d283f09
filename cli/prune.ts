import { type Communicator, isRoot } from "../comm/communicator.ts";
import { summaryText } from "../prune/report/summary.ts";
import { EARLY_FILES } from "../prune/run/library_run.ts";
import { redoStagesOn, stagesOn } from "../prune/run/run_inputs.ts";
import { runPrune } from "../prune/run/run_prune.ts";
import { RunStore } from "../prune/run/run_store.ts";
import { type Input, INPUTS } from "../train/fingerprints.ts";
import { openGpu } from "./backend.ts";
import { type ChangePolicy, compareInputs } from "./changed_inputs.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { defaultOut } from "./default_out.ts";
import { inJob, microBatches, onRoot } from "./job.ts";
import { claimOutput, interruptible, printInterrupted, refuseOutput } from "./long_run.ts";
import { lastingName } from "./model_option.ts";
import type { Given, Values } from "./options.ts";
import { USUAL } from "./permissions.ts";
import { print } from "./print.ts";
import { pruneOptions, type PruneSettings } from "./prune_options.ts";
import {
  beginJournal,
  checkedSettings,
  commandOf,
  openJournal,
  openRun,
  type SavedRun,
} from "./prune_run.ts";
import { checkResources, memoryText, printMemory } from "./resources.ts";
import { readRecipe, settingsOfRun } from "./run_settings.ts";
import { log, note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Recipe of a run without `--model`, by its task. */
const DEFAULTS = {
  asr: new URL("../recipes/commands-prune.json", import.meta.url),
  slu: new URL("../recipes/commands-prune-intents.json", import.meta.url),
};

/** `prune`: from a fine-tuned model to a compact one, with a report. */
export const pruneCommand: Command = defineCommand({
  name: "prune",
  summary: "Prune a fine-tuned model, fine-tune it, and write a report",
  options: pruneOptions,
  access: [...USUAL, "job"],
  examples: [
    ["prune the embedded model of spoken commands to half of its MACs", "prune"],
    [
      "remove 60 % of the parameters of your model",
      "prune -m model --data ~/LibriSpeech --method size --target 0.6 -o compact",
    ],
    ["resume an interrupted run", "prune --resume --out compact"],
  ],
  async run(values, _, words) {
    return await onFiles(() => inJob((comm) => prune(values, words, comm)));
  },
});

/** Options of the command line that are not options of the run. */
type Once = Pick<Values<typeof pruneOptions>, "json" | "resume" | "recipe" | "dry-run" | "accept-changes">;

/** Prunes, in a job of several processes or in this one alone. Returns the exit status. Long because it is the order of the checks. */
async function prune(
  { json, resume, recipe, "dry-run": dry, "accept-changes": accept }: Once,
  words: Given<typeof pruneOptions>,
  comm: Communicator | null,
): Promise<number> {
  // Options as typed, then with a lasting name of the model (`given`), merged with a recipe or a saved run
  // (`settings`), and with defaults (`values`).
  const typed: PruneSettings = settingsOfRun<typeof pruneOptions>(words);
  const given = { ...typed, ...typed.model !== undefined && { model: await lastingName(typed.model) } };
  if (resume && recipe !== undefined) {
    throw new UserError("--recipe cannot be used with --resume: the run keeps its saved options");
  }
  if (accept && !resume) throw new UserError("--accept-changes requires --resume");
  if (comm && given.out === undefined) {
    throw new UserError("prune requires --out in a job of several processes");
  }
  const out = given.out ??
    await defaultOut(`${Deno.env.get("INIT_CWD") ?? Deno.cwd()}/pruned`, { resume, dry });
  using _claim = dry ? null : await onRoot(comm, () => claimOutput("prune", out));
  const saved = resume ? await savedRun(out, given, isRoot(comm)) : null;
  await comm?.barrier(); // nothing is written before all have read
  const settings = withMicroBatches(comm, saved?.settings ?? await newSettings(given, recipe));
  if (comm && saved) {
    note(`resuming with ${comm.size} processes: with another number, results differ in the last bits`);
  }
  if (!saved && !dry) await onRoot(comm, () => refuseOutput(out, EARLY_FILES));
  const checked = checkedSettings(settings);
  const gpu = await openGpu({}, !dry);
  try {
    const store = new RunStore(out, isRoot(comm));
    using opened = await openRun(checked, { gpu, store, comm });
    const { run, plan, inputs, memory } = opened;
    const changed = saved && compareInputs(out, saved.journal.fingerprints, inputs, policyOf(accept));
    if (dry) printMemory(memory, json);
    else log(memoryText(memory));
    await checkResources({ command: "prune", out, gpu, dry, resumed: resume }, memory);
    if (dry) return 0;
    const journal = saved?.journal ?? await beginJournal(out, settings, inputs, isRoot(comm));
    if (changed?.length) await redoStagesOn(isRoot(comm) ? out : null, journal, changed, inputs);
    const command = commandOf("prune", settings);
    const { result: report, status } = await interruptible(
      { command: "prune", out },
      (signal) => runPrune(run, plan, { settings: checked.runSettings, journal, signal, command }),
    );
    if (!report) {
      if (status !== 0) printInterrupted("prune", out);
      return status;
    }
    print(json ? JSON.stringify(report, null, 2) : `${summaryText(report)}\n\n${out}/report.html`);
    return 0;
  } finally {
    gpu.destroy();
  }
}

/**
 * The options of a new run, those of its recipe included.
 *
 * @param given the options on the command line
 * @param path its recipe; without one and without a model, that of the embedded model
 * @throws {UserError} there is no model, or the recipe is wrong; one line
 */
export async function newSettings(given: PruneSettings, path: string | undefined): Promise<PruneSettings> {
  const recipe = path ?? (given.model === undefined ? defaultRecipe(given) : undefined);
  if (path === undefined && recipe !== undefined) {
    note(`without --model the defaults are those of ${String(recipe).split("/").slice(-2).join("/")}`);
  }
  const read: PruneSettings = recipe === undefined ? {} : await readRecipe(recipe, pruneCommand);
  const settings = { ...read, ...given };
  if (settings.model === undefined) throw new UserError("The recipe has no model: give --model");
  return settings;
}

function defaultRecipe({ task = "asr", data }: PruneSettings): string | URL {
  if (data !== undefined) throw new UserError("--data requires --model: a model trained for your corpus");
  const url = DEFAULTS[task];
  return url.protocol === "file:" ? decodeURIComponent(url.pathname) : url;
}

/** Every input may change: the stages that depend on it run again. */
function policyOf(accept: boolean): ChangePolicy {
  const all = Object.keys(INPUTS) as Input[];
  const effect = (changed: readonly Input[]) => {
    const stages = stagesOn(changed);
    return stages.length === 0
      ? "its results stay as they are"
      : `these stages run again: ${stages.join(", ")}`;
  };
  return { accepted: accept ? all : [], changeable: all, effect };
}

/** Options with the micro-batches of a step, which the processes of a job share. */
function withMicroBatches(comm: Communicator | null, settings: PruneSettings): PruneSettings {
  const count = microBatches(comm, settings["grad-accum-steps"]);
  return count === undefined ? settings : { ...settings, "grad-accum-steps": count };
}

/** A run to resume. Null where there is none, but options for a new run. */
async function savedRun(out: string, given: PruneSettings, writes: boolean): Promise<SavedRun | null> {
  const saved = await openJournal(out, given, writes);
  if (saved) return saved;
  if (given.model === undefined) {
    throw new UserError(`No run to resume in ${out}: there is no run/journal.json`);
  }
  note(`${out} has no saved run: pruning starts anew`);
  return null;
}
