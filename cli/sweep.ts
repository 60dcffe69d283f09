import program from "../deno.json" with { type: "json" };
import { readRunFolder, SweepFolder } from "../prune/sweep/folder.ts";
import { secondsOf, type SweepRecord } from "../prune/sweep/record.ts";
import { showTime } from "../train/progress.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
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
import { inShardOrder, type PlannedRun, planRuns, shardOf } from "./sweep_plan.ts";
import { attempt, checkFolders } from "./sweep_run.ts";

/** `sweep`: many runs of `prune` in one folder, with tables and plots of their results. */
export const sweepCommand: Command = defineCommand({
  name: "sweep",
  summary: "Compare methods, targets, seeds and other options of prune",
  options: sweepOptions,
  examples: [
    [
      "compare two methods at two targets, with three seeds",
      "sweep --methods mac,size --targets 0.3,0.5 --seeds 1,2,3 -o comparison",
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
  const { out, recipe, shard: part, "dry-run": dry, json } = values;
  const shard = shardOf(part);
  const settings = await newSettings(await sharedSettings(words), recipe);
  const runs = planRuns(values, settings, out);
  await checkFolders(runs);
  const folder = new SweepFolder(out);
  if (dry) return await printPlan(runs);
  const since = new Date().toISOString();
  const { shard: _shard, json: _json, "dry-run": _dry, ...repeated } = words;
  const identity = {
    command: commandOf("sweep", repeated),
    version: program.version,
    onWait: waitFor("writes the tables"),
  };
  const update = () => folder.update(runs, identity, () => Promise.resolve());
  let record = await update();
  const { status } = await interruptible({ command: "sweep", out }, async (signal) => {
    let left = inShardOrder(runs, shard);
    for (let worked = true; worked && left.length > 0 && !signal.aborted;) {
      worked = false;
      const held: PlannedRun[] = [];
      for (const run of left) {
        const announce = () => log(runLine(run, runs, record));
        const end = await attempt(run, { folder, since, announce, signal });
        if (end === "stopped" || signal.aborted) break;
        if (end === "held") held.push(run);
        if (end === "finished" || end === "failed") {
          worked = true;
          record = await update();
        }
      }
      left = held;
    }
  });
  record = await update();
  if (status !== 0) {
    log("Interrupted. The same command resumes the sweep.");
    return status;
  }
  print(json ? JSON.stringify(record, null, 2) : resultLines(record).join("\n"));
  return record.runs.some(({ state }) => state === "failed") ? 1 : 0;
}

/** The options of all runs. */
async function sharedSettings(words: Given<typeof sweepOptions>): Promise<PruneSettings> {
  const entries = Object.entries(settingsOfRun<typeof sweepOptions>(words));
  const shared: PruneSettings = Object.fromEntries(entries.filter(([name]) => !(name in ownOptions)));
  return { ...shared, ...shared.model !== undefined && { model: await lastingName(shared.model) } };
}

/** `run 3 of 12: mac-0.3-seed-1, 2 h 10 min left`. */
function runLine({ name }: PlannedRun, runs: readonly PlannedRun[], record: SweepRecord): string {
  const known = record.runs.filter((run) => runs.some((one) => one.name === run.name) && run.result);
  const seconds = known.map(({ result }) => secondsOf(result!));
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  const over = record.runs.filter(({ state, name }) =>
    state !== "unfinished" && runs.some((one) => one.name === name)
  );
  const left = runs.length - over.length;
  const time = known.length === 0 ? "" : `, ${showTime(left * mean)} left`;
  return `run ${over.length + 1} of ${runs.length}: ${name}${time}`;
}

async function printPlan(runs: readonly PlannedRun[]): Promise<number> {
  for (const { name, out } of runs) {
    const run = await readRunFolder(out);
    const state = run?.report
      ? "finished"
      : run
      ? `begun: ${run.stages.map(({ name }) => name).join(", ")}`
      : "to do";
    print(`${name}  ${state}`);
  }
  return 0;
}

function resultLines({ runs }: SweepRecord): string[] {
  return runs.map(({ name, state, error, result }) => {
    const last = result?.models.at(-1);
    const score = last?.wer ?? last?.accuracy;
    return `${name}  ${state}  ${score ? score.value.toFixed(4) : error ?? ""}`;
  });
}
