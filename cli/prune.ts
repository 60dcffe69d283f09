import { makeFolder } from "../data/write_file.ts";
import { Journal } from "../prune/run/stages.ts";
import { planMethod } from "../prune/method.ts";
import { runPipeline } from "../prune/run/pipeline.ts";
import { pipelineMemory } from "../prune/run/pipeline_memory.ts";
import { summaryText } from "../prune/report/report.ts";
import { openGpu } from "./backend.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { interruptible, memoryText, refuseOutput } from "./long_run.ts";
import { lastingName } from "./model_option.ts";
import { pruneOptions, type PruneSettings } from "./prune_options.ts";
import { reportOf } from "./prune_report.ts";
import { openPruneRun, pipelineOptions } from "./prune_run.ts";
import { givenOf, readRecipe } from "./recipe.ts";
import { UserError } from "./user_error.ts";

// Not a literal: Deno fetches packages behind a literal when any command starts, here 85 MB that draw the plots.
const REPORT: string = "../prune/report/write.ts";

/** Recipe of a run without `--model`, by its task. */
const DEFAULTS = {
  asr: new URL("../recipes/commands-prune.json", import.meta.url),
  slu: new URL("../recipes/commands-prune-intents.json", import.meta.url),
};

/** `prune`: from a fine-tuned model to a compact one, with a report. */
export const pruneCommand: Command = defineCommand({
  name: "prune",
  summary: "Prune a fine-tuned model: learn what it can do without, cut it out, fine-tune, report",
  options: pruneOptions,
  async run(values) {
    return await onFiles(async () => {
      const { json, "dry-run": dry } = values;
      const typed: PruneSettings = givenOf<typeof pruneOptions>(values);
      const given = { ...typed, ...typed.model !== undefined && { model: await lastingName(typed.model) } };
      if (values.resume && values.recipe !== undefined) {
        throw new UserError("Cannot resume by a recipe as the options of the run hold: leave --recipe out");
      }
      const out = given.out ?? await defaultOut(values.resume);
      const before = values.resume ? await openJournal(out, given) : null;
      const settings = before ? before.settings as PruneSettings : await settingsOf(given, values.recipe);
      if (!before && !dry) await refuseOutput("prune", out);
      const gpu = await openGpu({}, !dry);
      try {
        using run = await openPruneRun(settings);
        for (const note of run.notes) console.error(`note: ${note}`);
        const options = pipelineOptions(run, { gpu, out, settings });
        // Nothing is written before all that can be wrong from the start has been looked at.
        planMethod(run.checkpoint.config, options);
        const memory = memoryText(gpu, await pipelineMemory(options));
        if (dry) {
          console.log(memory);
          return 0;
        }
        console.error(memory);
        const { writeReport } = await import(REPORT) as typeof import("../prune/report/write.ts");
        const journal = before ?? await beginJournal(out, settings);
        const result = await interruptible((signal) => runPipeline({ ...options, journal, signal }));
        if (!result) {
          console.error("--resume goes on");
          return 130;
        }
        const report = await reportOf(run, result, { gpu, out, journal, settings });
        await writeReport(out, report);
        console.log(json ? JSON.stringify(report, null, 2) : `${summaryText(report)}\n\n${out}/report.html`);
        return 0;
      } finally {
        gpu.destroy();
      }
    });
  },
});

/** The first of pruned, pruned-2, … that is not there; to resume, the last one that is. */
async function defaultOut(resume: boolean): Promise<string> {
  const base = `${Deno.env.get("INIT_CWD") ?? Deno.cwd()}/pruned`;
  let last = base;
  for (let n = 1;; n++) {
    const path = n === 1 ? base : `${base}-${n}`;
    if (!await Deno.lstat(path).then(() => true, () => false)) return resume ? last : path;
    last = path;
  }
}

/** The options of a new run, those of its recipe included. */
async function settingsOf(given: PruneSettings, path: string | undefined): Promise<PruneSettings> {
  const recipe = path ?? (given.model === undefined ? defaultRecipe(given) : undefined);
  const read: PruneSettings = recipe === undefined ? {} : await readRecipe(recipe, pruneCommand);
  const settings = { ...read, ...given };
  if (settings.model === undefined) {
    throw new UserError("Cannot prune as the recipe names no model: give --model");
  }
  return settings;
}

async function beginJournal(out: string, settings: PruneSettings): Promise<Journal> {
  await makeFolder(`${out}/run`);
  return await Journal.begin(`${out}/run/journal.json`, settings);
}

function defaultRecipe({ task = "asr", data }: PruneSettings): string {
  if (data !== undefined) {
    throw new UserError("Cannot prune as a corpus of one's own needs a model for it: give --model");
  }
  return decodeURIComponent(DEFAULTS[task].pathname);
}

/** The journal of a run that goes on; its options hold. */
async function openJournal(out: string, given: PruneSettings): Promise<Journal> {
  const journal = await Journal.open(`${out}/run/journal.json`);
  if (!journal) {
    throw new UserError(`Cannot resume ${out} as it must hold a run: there is no run/journal.json`);
  }
  const before = journal.settings as PruneSettings;
  for (const [name, value] of Object.entries(given) as [keyof PruneSettings, unknown][]) {
    if (name === "out" || value === before[name]) continue;
    const was = before[name] ?? "not given";
    throw new UserError(`Cannot resume ${out} as --${name} must be as it was: ${was}`);
  }
  return journal;
}
