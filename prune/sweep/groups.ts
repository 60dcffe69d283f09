// Rows of the table of a sweep: runs that differ only in their seed, and their differences from the dense model and from the
// control.

import type { ReportModel } from "../report/report.ts";
import { type Difference, type Pair, pairedBootstrap } from "./paired_bootstrap.ts";
import type { RunKey, SweepRecord, SweepResult } from "./record.ts";

/** Mean and spread over runs. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation of the sample, with n − 1; 0 for one run. */
  readonly deviation: number;
  readonly low: number;
  readonly high: number;
}

/** Costs as shares of the dense model. */
export interface Shares {
  readonly parameters: number;
  readonly macs: number;
  /** Null where time was not measured. */
  readonly time: number | null;
}

/** A finished run as a point of a plot. */
export interface Point extends Shares {
  readonly error: number;
}

/** Runs that differ only in their seed. */
export interface Group extends Pick<RunKey, "method" | "target" | "options"> {
  readonly seeds: readonly number[];
  readonly runs: readonly Point[];
  /** Error rate, 0 to 1. */
  readonly error: Spread;
  /** Mean shares. */
  readonly shares: Shares;
  /** Mean error rate less that of the dense model. */
  readonly fromDense: Difference;
  /** Mean error rate less that of the control with the same options; null without one, and for the control. */
  readonly fromControl: Difference | null;
  /** Mean error rate less that of the first method with the same target and options; null without, and for that itself. */
  readonly fromFirst: Difference | null;
}

/** Error rate of a model: in words, or in classes. */
export function errorOf({ wer, accuracy }: Omit<ReportModel, "errors">): number {
  return wer ? wer.value : 1 - accuracy!.value;
}

/** A group before it is compared. */
interface Runs extends Pick<RunKey, "method" | "target" | "options"> {
  readonly of: readonly { readonly seed: number; readonly result: SweepResult }[];
}

/**
 * The finished runs of a sweep in groups, the control first, in the order of methods and of targets.
 *
 * @param record The sweep.
 */
export function groupsOf({ runs, common }: SweepRecord): Group[] {
  if (!common) return [];
  const groups = new Map<string, Runs>();
  for (const { method, target, options, seed, result } of runs) {
    if (!result) continue;
    const key = JSON.stringify([method, target, options]);
    const of = [...groups.get(key)?.of ?? [], { seed, result }];
    groups.set(key, { method, target, options, of });
  }
  const all = inOrder([...groups.values()]);
  const others = all.map((group) => othersOf(group, all));
  const errors = new Map(all.map((group) => [group, meanErrors(group)]));
  // A pair with itself stands for one that there is not.
  const pairs: Pair[] = all.flatMap((group, i) => {
    const own = errors.get(group)!;
    const of = [common.dense.errors, ...others[i]!.map((other) => other ? errors.get(other)! : own)];
    return of.map((others) => ({ errors: own, others }));
  });
  const differences = pairedBootstrap(pairs, common.data.test.lengths);
  return all.map((group, i) => {
    const [fromDense, fromControl, fromFirst] = differences.slice(3 * i, 3 * i + 3);
    const [control, first] = others[i]!;
    return {
      ...summaryOf(group),
      fromDense: fromDense!,
      fromControl: control ? fromControl! : null,
      fromFirst: first ? fromFirst! : null,
    };
  });
}

/** The control with the same options, and the first method with the same target and options. */
function othersOf(group: Runs, all: readonly Runs[]): [Runs | undefined, Runs | undefined] {
  const { method, target } = group;
  if (method === "none") return [undefined, undefined];
  const alike = all.filter((one) => JSON.stringify(one.options) === JSON.stringify(group.options));
  const first = all.find(({ method }) => method !== "none")!.method;
  return [
    alike.find((one) => one.method === "none"),
    method === first ? undefined : alike.find((one) => one.method === first && one.target === target),
  ];
}

/** The control, then methods as they come first, each by target. */
function inOrder(groups: readonly Runs[]): Runs[] {
  const methods = [...new Set(["none", ...groups.map(({ method }) => method)])];
  return groups.toSorted((a, b) =>
    methods.indexOf(a.method) - methods.indexOf(b.method) || (a.target ?? 0) - (b.target ?? 0)
  );
}

/** Errors in each utterance, averaged over the runs. */
function meanErrors({ of }: Runs): number[] {
  const [first] = of as [Runs["of"][number]];
  return first.result.errors.map((_, i) =>
    of.reduce((sum, { result }) => sum + result.errors[i]!, 0) / of.length
  );
}

function summaryOf(
  { method, target, options, of }: Runs,
): Omit<Group, "fromDense" | "fromControl" | "fromFirst"> {
  const runs = of.map(({ result }) => pointOf(result));
  const mean = (key: "parameters" | "macs") => spreadOf(runs.map((run) => run[key])).mean;
  const times = runs.flatMap(({ time }) => time === null ? [] : [time]);
  const time = times.length === 0 ? null : spreadOf(times).mean;
  const shares = { parameters: mean("parameters"), macs: mean("macs"), time };
  const error = spreadOf(runs.map(({ error }) => error));
  return { method, target, options, seeds: of.map(({ seed }) => seed), runs, error, shares };
}

/** A run as a point of a plot: error of its final model, and costs as shares of the dense model. */
export function pointOf({ models }: SweepResult): Point {
  const [dense, last] = [models[0]!, models.at(-1)!];
  const [time, whole] = [last.seconds_per_second, dense.seconds_per_second];
  return {
    error: errorOf(last),
    parameters: last.parameters / dense.parameters,
    macs: last.macs_per_second / dense.macs_per_second,
    time: time === null || !whole ? null : time / whole,
  };
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
  return { mean, deviation, low: Math.min(...values), high: Math.max(...values) };
}
