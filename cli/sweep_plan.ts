/**
 * The runs of a sweep, by its options.
 *
 * @module
 */
import type { RunKey } from "../prune/sweep/record.ts";
import { type Command, parse } from "./command.ts";
import { optionName, type Options } from "./options.ts";
import { pruneOptions, type PruneSettings } from "./prune_options.ts";
import { UserError } from "./user_error.ts";

/** The lists of a sweep, as they were typed. */
export interface SweepLists {
  readonly methods?: string | undefined;
  readonly targets?: string | undefined;
  readonly seeds?: string | undefined;
  readonly grid?: string | undefined;
}

/** A run of a sweep with the options that `prune` would be given. */
export interface PlannedRun extends RunKey {
  readonly out: string;
  readonly settings: PruneSettings;
}

/** The method without a target. */
const CONTROL = "none";

/**
 * The runs of a sweep: all combinations, with the seeds as the slowest, so that every row of the table has a run early.
 *
 * @param lists what varies
 * @param settings options of all runs, with those of the recipe
 * @param dir folder of the sweep
 * @throws {UserError} a value breaks a rule, or stands there twice
 */
export function planRuns(lists: SweepLists, settings: PruneSettings, dir: string): PlannedRun[] {
  const methods = listOf("method", lists.methods ?? settings.method ?? pruneOptions.method.default);
  const targets = listOf("target", lists.targets ?? settings.target ?? pruneOptions.target.default);
  const seeds = listOf("seed", lists.seeds ?? settings.seed ?? pruneOptions.seed.default);
  const grid = combinations(gridOf(lists.grid));
  const runs = seeds.flatMap((seed) =>
    methods.flatMap((method) =>
      (method === CONTROL ? [null] : targets).flatMap((target) =>
        grid.map((options) => plan({ method, target, seed, options } as Choice, settings, dir))
      )
    )
  );
  const twice = runs.find(({ name }, i) => runs.findIndex((one) => one.name === name) < i);
  if (twice) throw new UserError(`Cannot run sweep as every run must be there once: ${twice.name} is twice`);
  return runs;
}

type Choice = Omit<RunKey, "name">;

function plan(choice: Choice, { target: _, ...settings }: PruneSettings, dir: string): PlannedRun {
  const { method, target, seed, options } = choice;
  const values = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
  const name = [method, ...target === null ? [] : [target], "seed", seed, ...values].join("-");
  const out = `${dir}/runs/${name}`;
  const chosen = { method, ...target !== null && { target }, ...options, seed, out };
  return { ...choice, name, out, settings: { ...settings, ...chosen } as PruneSettings };
}

/** Values of an option of `prune`, checked as it checks them. */
function listOf(name: string, list: string | number): readonly (string | number | boolean)[] {
  return String(list).split(",").map((word) => valueOf(name, word.trim()));
}

function valueOf(name: string, word: string): string | number | boolean {
  const command: Command = {
    name: "sweep",
    summary: "",
    options: pruneOptions,
    run: () => Promise.resolve(0),
  };
  const request = parse(command, [`--${name}=${word}`], ".");
  return request.help ? word : request.given[name]!;
}

/** Groups of options that a grid may vary: the others decide what is measured, and on what. */
const GRID_GROUPS = ["Pruning", "Optimisation", "Regularisation and augmentation"];

/** Options of these groups that it may not vary: the axes of a sweep, lists, and what results are measured at. */
const NOT_IN_GRID = ["method", "target", "target-conv", "target-transformer", "prune", "seconds"];

/** Values by option: `lr=1e-4,2e-4,distill=0,0.9`. */
function gridOf(text: string | undefined): Readonly<Record<string, readonly (string | number | boolean)[]>> {
  const grid: Record<string, (string | number | boolean)[]> = {};
  let name = "";
  for (const word of text?.split(",") ?? []) {
    const [, key, value = ""] = /^(?:\s*(?:--)?([\w-]+)=)?\s*(.*?)\s*$/.exec(word)!;
    if (key !== undefined) {
      name = key;
      if (grid[name]) throw new UserError(`Cannot run sweep as --grid must have every option once: ${name}`);
      const option = (pruneOptions as Options)[name];
      if (!option || !GRID_GROUPS.includes(option.group!) || NOT_IN_GRID.includes(name)) {
        throw new UserError(`Cannot run sweep as --grid cannot vary this option: ${optionName(name)}`);
      }
      grid[name] = [];
    }
    if (name === "") throw new UserError(`Cannot run sweep as --grid must be like lr=1e-4,2e-4: got ${text}`);
    grid[name]!.push(valueOf(name, value));
  }
  return grid;
}

/** All combinations of values, the last option as the fastest; one empty one without options. */
function combinations(grid: ReturnType<typeof gridOf>): RunKey["options"][] {
  return Object.entries(grid).reduce<RunKey["options"][]>(
    (all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}

/** A part of the runs: `2/8` is the second of eight. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** @throws {UserError} it is not I/N with 1 ≤ I ≤ N. */
export function shardOf(text: string | undefined): Shard {
  if (text === undefined) return { index: 1, count: 1 };
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.map(Number) ?? [];
  if (!index || !count || index > count) {
    throw new UserError(`Cannot run sweep as --shard must be I/N with I from 1 to N: got ${text}`);
  }
  return { index, count };
}

/** Runs in the order of a shard: its own first, which are I, I + N, …, then those of others. */
export function inShardOrder(runs: readonly PlannedRun[], { index, count }: Shard): PlannedRun[] {
  const own = runs.map((_, i) => i % count === index - 1);
  return [...runs.filter((_, i) => own[i]), ...runs.filter((_, i) => !own[i])];
}
