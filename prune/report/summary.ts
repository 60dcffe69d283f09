// The result of pruning as text and as a table, for the terminal and the page.

import type { Interval } from "../../model/inference/error_rate.ts";
import type { Quantity } from "../cost.ts";
import type { AchievedCost } from "../record.ts";
import type { PruneReport, ReportModel } from "./report.ts";

/** Names of quantities in text. */
export const QUANTITY_WORDS: Readonly<Record<Quantity, string>> = {
  parameters: "parameters",
  conv: "convolution parameters",
  transformer: "Transformer parameters",
  macs: "multiply–accumulates",
};

/** A share as `41.3 %`. @param digits Decimals; default: 1. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** Last part of a path or of a name on the hub. */
export function lastPart(path: string): string {
  return path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1) || path;
}

/** A count with its prefix: `415 k`, `24.1 M`, `7.41 G`. */
export function scaled(count: number): string {
  // Rounded first: 999,950 is 1.00 M, not 1000 k.
  const rounded = Number(count.toPrecision(3));
  const [size, prefix] = rounded >= 1e9
    ? [1e9, " G"] as const
    : rounded >= 1e6
    ? [1e6, " M"] as const
    : rounded >= 1e3
    ? [1e3, " k"] as const
    : [1, ""] as const;
  const value = rounded / size;
  return `${size === 1 ? value : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)}${prefix}`;
}

/** Result of {@linkcode reportTable}. */
export interface ReportTable {
  /** Names of the columns. */
  readonly head: readonly string[];
  /** A row per model; a missing value is `–`. */
  readonly rows: readonly (readonly ReportCell[])[];
}

/** A value with a note. */
export interface ReportCell {
  /** The value. */
  readonly text: string;
  /** Its confidence interval, or its share of the dense model; empty if neither. */
  readonly note: string;
}

/** Error rates, size, cost and time of every model of a report. */
export function reportTable({ models, task }: PruneReport): ReportTable {
  const dense = models.find(({ name }) => name === "dense");
  const rate = (interval: Interval | null): ReportCell =>
    interval
      ? { text: percent(interval.value, 2), note: `${percent(interval.low)} to ${percent(interval.high)}` }
      : { text: "–", note: "" };
  const cost = (model: ReportModel, key: CostKey, show: (value: number) => string): ReportCell => {
    const [value, of] = [model[key], dense?.[key] ?? null];
    if (value === null) return { text: "–", note: "" };
    return { text: show(value), note: model === dense || !of ? "" : percent(value / of) };
  };
  const rates = task === "asr" ? ["wer", "cer"] as const : ["accuracy"] as const;
  return {
    head: [
      "model",
      ...task === "asr" ? ["WER", "CER"] : ["accuracy"],
      "parameters",
      "MACs for 1 s",
      "time for 1 s",
      "file",
    ],
    rows: models.map((model) => [
      { text: model.name, note: "" },
      ...rates.map((key) => rate(model[key])),
      cost(model, "parameters", (n) => n.toLocaleString("en")),
      cost(model, "macs_per_second", scaled),
      cost(model, "seconds_per_second", (s) => `${(1000 * s).toPrecision(3)} ms`),
      cost(model, "file_bytes", (bytes) => `${scaled(bytes)}${bytes < 1000 ? " " : ""}B`),
    ]),
  };
}

type CostKey = "parameters" | "macs_per_second" | "seconds_per_second" | "file_bytes";

/** Target and result of a constraint: `multiply–accumulates: target 50.0 % removed, achieved 50.1 %: 482 M → 241 M`. */
export function constraintText({ quantity, target_removed, removed, cost, base_cost }: AchievedCost): string {
  const reached = `target ${percent(target_removed)} removed, achieved ${percent(removed)}`;
  return `${QUANTITY_WORDS[quantity]}: ${reached}: ${scaled(base_cost)} → ${scaled(cost)}`;
}

/**
 * The result as a sentence: `50.1 % of the multiply–accumulates removed, 0.58 of the time, WER 4.1 % → 4.4 %`.
 */
export function resultText({ constraints, models, task }: PruneReport): string {
  const [first, last] = [models[0], models.at(-1)];
  const removed = constraints.map(({ quantity, removed }, i) =>
    `${percent(removed)} of the ${QUANTITY_WORDS[quantity]}${i === constraints.length - 1 ? " removed" : ""}`
  );
  const parts = removed.length === 0 ? [] : [removed.join(" and ")];
  if (first && last && first !== last) {
    if (first.seconds_per_second && last.seconds_per_second !== null) {
      parts.push(`${(last.seconds_per_second / first.seconds_per_second).toFixed(2)} of the time`);
    }
    const [name, key] = task === "asr" ? ["WER", "wer"] as const : ["accuracy", "accuracy"] as const;
    const [before, after] = [first[key], last[key]];
    if (before && after) parts.push(`${name} ${percent(before.value)} → ${percent(after.value)}`);
  }
  return parts.join(", ");
}

/**
 * The summary that the command prints: a table of the models, then target and result of each constraint.
 *
 * @param report The run.
 *
 * @example
 * ```ts ignore
 * import type { PruneReport } from "./report.ts";
 * import { summaryText } from "./summary.ts";
 *
 * const report: PruneReport = JSON.parse(await Deno.readTextFile("pruned/report.json"));
 * console.log(summaryText(report));
 * ```
 */
export function summaryText(report: PruneReport): string {
  const { head, rows } = reportTable(report);
  const cells = rows.map((row) => row.map(({ text, note }) => note === "" ? text : `${text} (${note})`));
  const widths = head.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]!.length)));
  const lines = [head, ...cells].map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()
  );
  return [...lines, "", ...report.constraints.map(constraintText)].join("\n").trimEnd();
}
