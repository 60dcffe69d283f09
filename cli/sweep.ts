import program from "../deno.json" with { type: "json" };
import { SweepFolder } from "../prune/sweep/folder.ts";
import { groupsOf } from "../prune/sweep/groups.ts";
import type { SweepRecord } from "../prune/sweep/record.ts";
import { missingLines, plainTable, sweepTable, tableNote } from "../prune/sweep/table.ts";
import { showTime } from "../train/progress.ts";
import { type Command, defineCommand } from "./command.ts";
import { fromUser, onFiles } from "./files.ts";
import { interruptible } from "./long_run.ts";
import { lastingName } from "./model_option.ts";
import type { Given, Values } from "./options.ts";
import { print } from "./print.ts";
import { newSettings } from "./prune.ts";
import type { PruneSettings } from "./prune_options.ts";
import { commandOf } from "./prune_run.ts";
import { settingsOfRun } from "./run_settings.ts";
import { log, waitFor } from "./stderr.ts";
import { ownOptions, sweepOptions } from "./sweep_options.ts";
import { inShardOrder, type PlannedRun, planRuns, type Shard, shardOf } from "./sweep_plan.ts";
import { attempt, checkRuns } from "./sweep_run.ts";
import { MEASURED, measureRun, secondsLeft, statesOf } from "./sweep_time.ts";

// Not a literal: Deno fetches the packages of a literal import when a program starts, here those of the plots.
const WRITE: string = "../prune/sweep/write.ts";

/** `sweep`: many runs of `prune` in one folder, with tables and plots of their results. */
export const sweepCommand: Command = defineCommand({
  name: "sweep",
  summary: "Compare methods, targets, seeds and other options of prune",
  options: sweepOptions,
  examples: [
    [
      "compare two methods and the control at two targets, with three seeds",
      "sweep --methods mac,size,none --targets 0.3,0.5 --seeds 1,2,3 -o comparison",
    ],
    [
      "task 3 of a Slurm array of 8",
      "sweep --recipe recipe.json --targets 0.3,0.5 --shard 3/8 -o comparison",
    ],
  ],
  async run(values, _, words) {
    return await onFiles(() => sweep(values, words));
  },
});

type Own = Pick<Values<typeof sweepOptions>, keyof typeof ownOptions | "recipe">;

async function sweep(values: Own, words: Given<typeof sweepOptions>): Promise<number> {
  const { out = fromUser("sweep"), recipe, json } = values;
  const shard = shardOf(values.shard);
  const settings = await newSettings(await sharedSettings(words), recipe);
  const runs = planRuns(values, settings, out);
  await checkRuns(runs);
  if (values["dry-run"]) return await printPlan(runs, shard, json);
  const { writeSweep } = await import(WRITE) as typeof import("../prune/sweep/write.ts");
  const folder = new SweepFolder(out);
  const { shard: _shard, json: _json, "dry-run": _dry, ...repeated } = words;
  const identity = {
    command: commandOf("sweep", repeated),
    version: program.version,
    onWait: waitFor("writes the tables"),
  };
  const update = () => folder.update(runs, identity, (record) => writeSweep(out, record));
  await update(); // first, so that a folder that cannot be written ends it before it begins
  const { status } = await interruptible({ command: "sweep", out }, async (signal) => {
    await makeRuns(inShardOrder(runs, shard), { folder, shard, signal, update });
  });
  const record = await update();
  if (status !== 0) {
    log("Interrupted. The same command resumes the sweep.");
    return status;
  }
  print(json ? JSON.stringify(record, null, 2) : resultText(record, out));
  return record.runs.some(({ state }) => state === "failed") ? 1 : 0;
}

/** The options of all runs. */
async function sharedSettings(words: Given<typeof sweepOptions>): Promise<PruneSettings> {
  const entries = Object.entries(settingsOfRun<typeof sweepOptions>(words));
  const shared: PruneSettings = Object.fromEntries(entries.filter(([name]) => !(name in ownOptions)));
  return { ...shared, ...shared.model !== undefined && { model: await lastingName(shared.model) } };
}

/** What a sweep needs to make its runs. */
interface Sweep {
  readonly folder: SweepFolder;
  readonly shard: Shard;
  readonly signal: AbortSignal;
  /** Called after a run, finished or failed. */
  readonly update: () => Promise<unknown>;
}

/** Makes runs, until none is left but those that other processes have. */
async function makeRuns(
  runs: readonly PlannedRun[],
  { folder, shard, signal, update }: Sweep,
): Promise<void> {
  const since = new Date().toISOString();
  let left = runs;
  for (let worked = true; worked && left.length > 0;) {
    worked = false;
    const held: PlannedRun[] = [];
    for (const run of left) {
      const announce = async () => log(await runLine(run, runs, shard));
      const end = await attempt(run, { folder, since, announce, signal });
      if (end === "finished" || end === "failed") {
        worked = true;
        await update();
      }
      if (signal.aborted) return;
      if (end === "held") held.push(run);
    }
    left = held;
  }
  if (left.length > 0) log(`${left.map(({ name }) => name).join(", ")}: in the hands of other processes`);
}

/** `run 3 of 12: mac-0.3-seed-1, 2 h 10 min left`. */
async function runLine({ name }: PlannedRun, runs: readonly PlannedRun[], shard: Shard): Promise<string> {
  const states = await statesOf(runs);
  const finished = states.filter(({ state }) => state === "finished").length;
  const seconds = secondsLeft(states);
  const time = seconds === null ? "" : `, ${showTime(seconds / shard.count)} left`;
  return `run ${finished + 1} of ${runs.length}: ${name}${time}`;
}

/** The table, and what is missing in it. */
function resultText(record: SweepRecord, out: string): string {
  const table = plainTable(sweepTable(record, groupsOf(record)));
  return [table, "", tableNote(record), ...missingLines(record), "", `${out}/sweep.html`].join("\n");
}

/** Prints the runs, and how long those will take that are not finished. */
async function printPlan(runs: readonly PlannedRun[], { count }: Shard, json: boolean): Promise<number> {
  const states = await statesOf(runs);
  const left = states.filter(({ state }) => state !== "finished");
  let seconds = secondsLeft(states);
  let by = "as finished runs took";
  if (seconds === null) {
    const { run } = left[0]!;
    log(`measuring ${MEASURED} steps of ${run.name}`);
    seconds = left.length * await measureRun(run);
    by = `by ${MEASURED} steps of ${run.name}, with fine-tuning steps as long as those of pruning`;
  }
  if (json) {
    const names = states.map(({ run, state }) => ({ name: run.name, state }));
    print(JSON.stringify({ runs: names, seconds_left: Math.round(seconds) }, null, 2));
    return 0;
  }
  const lines = states.map(({ run, state }) => `${state.padEnd(8)}  ${run.name}`);
  const each = count > 1 ? `, ${showTime(seconds / count)} in ${count} processes` : "";
  const time = `${left.length} of ${runs.length} runs left: ${showTime(seconds)}${each} (${by})`;
  print([...lines, "", left.length === 0 ? "All runs are finished." : time].join("\n"));
  return 0;
}
