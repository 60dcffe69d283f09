/**
 * Reports the results of the benchmark as text, Markdown or JSON.
 *
 * @module
 */

import type { Measured } from "./measure.ts";
import { digits, geometricMean } from "./statistics.ts";
import { replaceBetween } from "./marks.ts";
import { markdown, plain, type Table } from "../prune/report/text_table.ts";

/** Results of one case. */
export interface Row {
  readonly name: string;
  /** Floating-point operations of one execution. */
  readonly flops: number;
  /** Bytes that one execution must move; null if memory does not bound it. */
  readonly bytes: number | null;
  readonly ours: Measured;
  /** A copy that moves as many bytes, in alternation with the others; null if there is none. */
  readonly copy: Measured | null;
  /** Measurements by peer; null if it does not implement the case. */
  readonly peers: Readonly<Record<string, Measured | null>>;
}

/** Results of a run of the benchmark. */
export interface Report {
  readonly date: string;
  /** Commit of this checkout; null if it is not known. */
  readonly commit: string | null;
  readonly command: string;
  readonly adapter: string;
  readonly runtime: string;
  /** Load average over the minute before the run, and the number of CPU cores. */
  readonly load: { readonly before: number; readonly cores: number };
  readonly rounds: number;
  /** Versions by library. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Error messages by peer that could not be loaded. */
  readonly missing: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** Time of the fastest peer divided by ours; null if either has no time. */
export function ratioOf({ ours, peers }: Row): number | null {
  const times = Object.values(peers).flatMap((peer) => typeof peer?.ms === "number" ? [peer.ms] : []);
  return ours.ms === null || times.length === 0 ? null : Math.min(...times) / ours.ms;
}

/** GB/s that a case moves, and its share of what a copy moves; null if memory does not bound it. */
export function bandwidthOf(
  { bytes, ours, copy }: Row,
): { readonly gb: number; readonly share: number } | null {
  if (bytes === null || ours.ms === null || typeof copy?.ms !== "number") return null;
  return { gb: bytes / ours.ms / 1e6, share: copy.ms / ours.ms };
}

/** Geometric mean and minimum of the ratios; null if there are none. */
export function summaryOf(
  rows: readonly Row[],
): { readonly mean: number; readonly least: number; readonly of: string; readonly count: number } | null {
  const ratios = rows.flatMap((row) => {
    const ratio = ratioOf(row);
    return ratio === null ? [] : [{ name: row.name, ratio }];
  });
  if (ratios.length === 0) return null;
  const [least] = ratios.sort((a, b) => a.ratio - b.ratio);
  return {
    mean: geometricMean(ratios.map(({ ratio }) => ratio)),
    least: least!.ratio,
    of: least!.name,
    count: ratios.length,
  };
}

/** The report as JSON, with GFLOP/s and ratios. */
export function json(report: Report): string {
  const rows = report.rows.map((row) => ({
    ...row,
    gflops: row.ours.ms === null ? null : row.flops / row.ours.ms / 1e6,
    bandwidth: bandwidthOf(row),
    ratio: ratioOf(row),
  }));
  return JSON.stringify({ ...report, rows, summary: summaryOf(report.rows) }, null, 2);
}

/** The report for a terminal. */
export function text(report: Report): string {
  return [plain(tableOf(report)), ...notes(report)].join("\n\n");
}

/** The report in Markdown, as `deno fmt` leaves it. */
export function document(report: Report): string {
  const lines = notes(report).flatMap((note) => note.split("\n"));
  return [markdown(tableOf(report)), lines.map((line) => `- ${line}`).join("\n")].join("\n\n");
}

/** Replaces the text between the marks of a document by the report. @throws {SyntaxError} If they are missing. */
export function replaceReport(page: string, report: Report): string {
  return replaceBetween(page, "bench", document(report));
}

/** The cases as a table. */
export function tableOf({ rows, libraries, missing }: Report): Table {
  const peers = Object.keys(libraries).slice(1).filter((name) => !(name in missing));
  const failures = failuresOf(rows);
  const cell = (row: Row, peer: string) => {
    const measured = row.peers[peer];
    if (!measured) return "";
    if (measured.ms !== null) return digits(measured.ms);
    return `failed (${failures.findIndex((one) => one.measured === measured) + 1})`;
  };
  return {
    head: [
      "case",
      "ms",
      "GFLOP/s",
      "GB/s",
      "of a copy",
      ...peers.map((peer) => `${short(peer)} ms`),
      "ratio",
    ],
    rows: rows.map((row) => {
      const { name, flops, ours } = row;
      const ratio = ratioOf(row);
      const own = ours.ms === null
        ? [`failed (${failures.findIndex((one) => one.measured === ours) + 1})`, "", "", ""]
        : [digits(ours.ms), digits(flops / ours.ms / 1e6), ...bandwidthCells(row)];
      return [name, ...own, ...peers.map((peer) => cell(row, peer)), ratio === null ? "" : ratio.toFixed(2)];
    }),
  };
}

function bandwidthCells(row: Row): [string, string] {
  const bandwidth = bandwidthOf(row);
  return bandwidth ? [digits(bandwidth.gb), `${(100 * bandwidth.share).toFixed(0)} %`] : ["", ""];
}

/** A package's name without a redundant scope. */
const short = (name: string) => name.replace("@tensorflow/", "");

function failuresOf(rows: readonly Row[]): { library: string; row: Row; measured: Measured }[] {
  return rows.flatMap((row) =>
    [["espalier", row.ours] as const, ...Object.entries(row.peers)].flatMap(([library, measured]) =>
      measured?.error ? [{ library, row, measured }] : []
    )
  );
}

function notes(report: Report): string[] {
  const { adapter, runtime, libraries, missing, rounds, load, date, commit, command, rows } = report;
  const summary = summaryOf(rows);
  const failures = failuresOf(rows).map(({ library, row, measured }, i) =>
    `(${i + 1}) ${short(library)}, ${row.name}: ${measured.error!.replace(/\s*\n\s*/g, " ")}`
  );
  return [
    ...(summary
      ? [
        `ratio (fastest peer's time / ours): geometric mean ${
          summary.mean.toFixed(2)
        } over ${summary.count} ${summary.count === 1 ? "case" : "cases"}, ` +
        `least ${summary.least.toFixed(2)} (${summary.of})`,
      ]
      : []),
    [
      `adapter: ${adapter}`,
      `versions: ${Object.entries(libraries).map((library) => library.join(" ")).join(", ")}, ${runtime}`,
      `medians of ${rounds} alternating rounds, each library on a device of this adapter in one process`,
      `machine: ${load.cores} cores, load ${load.before.toFixed(1)} before the run`,
      `${date}, commit ${commit ?? "unknown"}, \`${command}\``,
    ].join("\n"),
    ...[...Object.entries(missing).map(([name, message]) => `${name} is missing: ${message}`), ...failures],
  ];
}
