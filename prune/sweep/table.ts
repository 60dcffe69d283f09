// The table of a sweep: in the terminal, in Markdown and in the page.

import { percent, scaled } from "../report/summary.ts";
import { markdown, plain, type Table } from "../report/text_table.ts";
import { errorOf, type Group } from "./groups.ts";
import type { Difference } from "./paired_bootstrap.ts";
import type { SweepRecord } from "./record.ts";

/** A value, a note on it, and a shorter note for the terminal. */
export interface SweepCell {
  readonly text: string;
  readonly note: string;
  readonly short: string;
}

/** The table with its names of columns. */
export interface SweepTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly SweepCell[])[];
}

const cell = (text: string, note = "", short = note): SweepCell => ({ text, note, short });
const EMPTY = cell("–");

/** Name of the error rate. */
export function errorName({ common }: SweepRecord): string {
  return common?.task === "slu" ? "wrong intents" : "WER";
}

/**
 * The rows of a sweep: the dense model, the control, then methods by target.
 *
 * @param record The sweep.
 * @param groups Its groups.
 */
export function sweepTable(record: SweepRecord, groups: readonly Group[]): SweepTable {
  const options = optionNames(record);
  const first = groups.find(({ method }) => method !== "none")?.method;
  const [control, others] = [groups.some(hasControl), groups.some(({ fromFirst }) => fromFirst)];
  return {
    head: [
      ...[
        "method",
        "target",
        ...options,
        "seeds",
        errorName(record),
        "parameters",
        "MACs",
        "time",
        "vs dense",
      ],
      ...control ? ["vs control"] : [],
      ...others ? [`vs ${first}`] : [],
    ],
    rows: [
      ...denseRow(record, options, Number(control) + Number(others)),
      ...groups.map((group) => [
        cell(group.method === "none" ? "control" : group.method),
        group.target === null ? EMPTY : cell(`${Number((100 * group.target).toPrecision(6))} %`),
        ...options.map((name) => cell(String(group.options[name] ?? "–"))),
        cell(String(group.seeds.length)),
        cell(
          percent(group.error.mean, 2),
          group.seeds.length > 1 ? `± ${points(group.error.deviation)}` : "",
        ),
        cell(percent(group.shares.parameters)),
        cell(percent(group.shares.macs)),
        group.shares.time === null ? EMPTY : cell(percent(group.shares.time, 0)),
        differenceCell(group.fromDense),
        ...control ? [differenceCell(group.fromControl)] : [],
        ...others ? [differenceCell(group.fromFirst)] : [],
      ]),
    ],
  };
}

const hasControl = ({ fromControl }: Group) => fromControl !== null;

/** Options that the runs vary. */
function optionNames({ runs }: SweepRecord): string[] {
  return [...new Set(runs.flatMap(({ options }) => Object.keys(options)))];
}

function denseRow({ common }: SweepRecord, options: readonly string[], more: number): SweepCell[][] {
  if (!common) return [];
  const { dense } = common;
  const seconds = dense.seconds_per_second;
  return [[
    cell("dense"),
    ...Array.from({ length: 2 + options.length }, () => EMPTY),
    cell(percent(errorOf(dense), 2)),
    cell(scaled(dense.parameters)),
    cell(`${scaled(dense.macs_per_second)}/s`),
    seconds === null ? EMPTY : cell(`${(1000 * seconds).toPrecision(3)} ms`),
    ...Array.from({ length: 1 + more }, () => EMPTY),
  ]];
}

function differenceCell(difference: Difference | null): SweepCell {
  if (!difference) return EMPTY;
  const { value, low, high, p } = difference;
  return cell(signed(value), `${signed(low)} to ${signed(high)}, ${probability(p)}`, probability(p));
}

/** Percentage points with a sign. */
function signed(share: number): string {
  const text = points(Math.abs(share));
  return Number(text) === 0 ? text : `${share < 0 ? "−" : "+"}${text}`;
}

function points(share: number): string {
  return (100 * share).toFixed(2);
}

/** A probability with its name: `p = 0.043`, `p < 0.001`. */
export function probability(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(p < 0.0995 ? 3 : 2)}`;
}

/** What the table has, in a sentence or two. */
export function tableNote({ common }: SweepRecord): string {
  if (!common) return "No run is finished.";
  const { utterances } = common.data.test;
  return "Error: mean and standard deviation over seeds; parameters, MACs and time: shares of the dense model; " +
    `differences: points, with 95 % interval and two-sided p of a paired bootstrap over the same ${
      utterances.toLocaleString("en")
    } test utterances, the runs of a row as their mean.`;
}

/** The table for the terminal. */
export function plainTable({ head, rows }: SweepTable): string {
  return plain(textTable(head, rows, ({ short }) => short));
}

/** The table in Markdown. */
export function markdownTable({ head, rows }: SweepTable): string {
  return markdown(textTable(head, rows, ({ note }) => note));
}

function textTable(
  head: SweepTable["head"],
  rows: SweepTable["rows"],
  noteOf: (cell: SweepCell) => string,
): Table {
  const text = (cell: SweepCell) => {
    const note = noteOf(cell);
    return note === "" ? cell.text : note.startsWith("±") ? `${cell.text} ${note}` : `${cell.text} (${note})`;
  };
  return { head, rows: rows.map((row) => row.map(text)) };
}

/** Runs without a result: a line for each that failed, and one for those that are not finished. */
export function missingLines({ runs }: SweepRecord): string[] {
  const failed = runs.filter(({ state }) => state === "failed").map(({ name, error }) =>
    `${name} failed: ${error}`
  );
  const rest = runs.filter(({ state }) => state === "unfinished").map(({ name }) => name);
  return [...failed, ...rest.length > 0 ? [`not finished: ${rest.join(", ")}`] : []];
}
