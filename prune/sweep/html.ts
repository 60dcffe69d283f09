// The page of a sweep: self-contained, in the style of a run's report.

import { showTime } from "../../train/progress.ts";
import { escaped, factList, figure, page, repeat, subset } from "../report/html.ts";
import type { ReportPlot } from "../report/plots.ts";
import { lastPart } from "../report/summary.ts";
import type { Group } from "./groups.ts";
import { secondsOf, type SweepRecord, type SweepRun } from "./record.ts";
import { missingLines, type SweepCell, sweepTable, tableNote } from "./table.ts";

/**
 * The page of a sweep, in one file.
 *
 * @param record The sweep.
 * @param groups Its groups.
 * @param plots Its plots.
 */
export function sweepHtml(
  record: SweepRecord,
  groups: readonly Group[],
  plots: readonly ReportPlot[],
): string {
  const { common, runs, commands } = record;
  const finished = runs.filter(({ result }) => result).length;
  return page({
    kind: `sweep · ${finished} of ${runs.length} runs`,
    title: common ? `Pruning of ${lastPart(common.base_model)}` : "Sweep",
    result: "",
  }, [
    groupTable(record, groups),
    ...plots.map(figure),
    "<h2>The sweep</h2>",
    repeat(commands),
    facts(record),
    "<h2>The runs</h2>",
    runTable(runs),
  ]);
}

function groupTable(record: SweepRecord, groups: readonly Group[]): string {
  const { head, rows } = sweepTable(record, groups);
  const cell = ({ text, note }: SweepCell, i: number) => {
    const small = note === "" ? "" : `<small>${escaped(note).replace(", p ", "<br>p ")}</small>`;
    return i === 0 ? `<th scope="row">${escaped(text)}${small}</th>` : `<td>${escaped(text)}${small}</td>`;
  };
  return `<div class="wide"><table class="dense">
<thead><tr>${head.map((name) => `<th scope="col">${escaped(name)}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n")}
</tbody>
</table></div>
<p class="note">${[tableNote(record), ...missingLines(record)].map(escaped).join("<br>\n")}</p>`;
}

function facts(record: SweepRecord): string {
  const { common, date, runs } = record;
  if (!common) return "";
  const { data, base_model } = common;
  const results = runs.flatMap(({ result }) => result ? [result] : []);
  const adapters = [...new Set(results.map(({ adapter }) => adapter))];
  const versions = [...new Set(results.map(({ versions }) => JSON.stringify(versions)))].map((text) =>
    Object.entries(JSON.parse(text)).map((pair) => pair.join(" ")).join(", ")
  );
  return factList([
    ["date", date],
    ["base model", base_model],
    ["data", data.name],
    ["training set", subset(data.train)],
    ...data.dev ? [["dev set", subset(data.dev)] as const] : [],
    ["test set", subset(data.test)],
    ["adapter", adapters.join("; ")],
    ["versions", versions.join("; ")],
    ["time of all runs", showTime(results.reduce((sum, result) => sum + secondsOf(result), 0))],
  ]);
}

function runTable(runs: readonly SweepRun[]): string {
  const rows = runs.map(({ name, state, result }) => {
    const link = `runs/${encodeURIComponent(name)}/report.html`;
    const title = result ? `<a href="${link}">${escaped(name)}</a>` : escaped(name);
    const score = result?.models.at(-1);
    const value = score?.wer ?? score?.accuracy;
    const rate = value ? `${score!.wer ? "WER" : "accuracy"} ${(100 * value.value).toFixed(2)} %` : "–";
    return `<tr><th scope="row">${title}</th><td>${state}</td><td>${rate}</td><td>${
      result ? showTime(secondsOf(result)) : "–"
    }</td></tr>`;
  });
  return `<div class="wide"><table>
<thead><tr><th scope="col">run</th><th scope="col">state</th><th scope="col">result</th><th scope="col">time</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}
