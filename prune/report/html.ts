// The report as a self-contained page: styles and pictures inside, no scripts, nothing to load.

import { showTime } from "../../train/progress.ts";
import type { PruneReport, ReportSubset } from "./report.ts";
import type { ReportPlot } from "./plots.ts";
import { PAGE_STYLE } from "./style.ts";
import { lastPart, percent, QUANTITY_WORDS, reportTable, resultText, scaled } from "./summary.ts";

/**
 * The page of a report, in one file.
 *
 * @param report The run.
 * @param plots Its plots, in the order of the page.
 *
 * @example
 * ```ts ignore
 * import { reportHtml } from "./html.ts";
 * import { reportPlots } from "./plots.ts";
 *
 * await Deno.writeTextFile("report.html", reportHtml(report, await reportPlots(report)));
 * ```
 */
export function reportHtml(report: PruneReport, plots: readonly ReportPlot[]): string {
  const task = report.task === "asr" ? "speech recognition" : "spoken-language understanding";
  return page({
    kind: `${report.method} · ${task}`,
    title: `Pruning of ${lastPart(report.base_model)}`,
    result: resultText(report),
  }, [
    modelTable(report),
    constraintTable(report),
    ...plots.map(figure),
    "<h2>The run</h2>",
    repeat([report.command]),
    facts(report),
    stageTable(report),
  ]);
}

/** What stands at the top of a page. */
export interface PageHead {
  readonly kind: string;
  readonly title: string;
  /** A sentence without its full stop; empty for none. */
  readonly result: string;
}

/** A self-contained page. @param parts HTML below its heading. */
export function page({ kind, title, result }: PageHead, parts: readonly string[]): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kind">Espalier · ${escaped(kind)}</p>
<h1>${escaped(title)}</h1>
${result === "" ? "" : `<p class="result">${escaped(result)}.</p>`}
</header>
${parts.join("\n")}
</main>
</body>
</html>
`;
}

/** Commands that repeat what a page is about. */
export function repeat(commands: readonly string[]): string {
  return `<p>To repeat it:</p>
<pre><code>${commands.map(escaped).join("\n")}</code></pre>`;
}

function modelTable(report: PruneReport): string {
  const { head, rows } = reportTable(report);
  const cell = ({ text, note }: { text: string; note: string }, i: number) =>
    i === 0
      ? `<th scope="row">${escaped(text)}</th>`
      : `<td>${escaped(text)}${note === "" ? "" : `<small>${escaped(note)}</small>`}</td>`;
  const { test } = report.data;
  const error = `${report.task === "asr" ? "Error rates" : "Accuracy"} on ${lastPart(report.data.name)}, ${
    subset(test)
  }, with 95 % confidence intervals`;
  const time = report.timing &&
    `time: a batch of ${count(report.timing.utterances, "utterance")} of ${
      number(report.timing.utterance_seconds)
    } s, median of ${count(report.timing.rounds, "run")}, on ${report.adapter}`;
  const shares = "MACs and time per second of audio; percentages below them are shares of the dense model";
  return `<div class="wide"><table class="models">
<thead><tr>${head.map((name) => `<th scope="col">${escaped(name)}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n")}
</tbody>
</table></div>
<p class="note">${[error, time, shares].filter((part) => part !== null).map(escaped).join("; ")}.</p>`;
}

function constraintTable({ constraints }: PruneReport): string {
  if (constraints.length === 0) return "";
  const rows = constraints.map(({ quantity, samples, target_removed, removed, cost, base_cost }) => {
    const of = quantity === "macs" ? ` of ${number(samples / 16000)} s of audio` : "";
    return `<tr><th scope="row">${escaped(QUANTITY_WORDS[quantity] + of)}</th><td>${
      percent(target_removed)
    }</td><td>${percent(removed, 2)}</td><td>${scaled(base_cost)} → ${scaled(cost)}</td></tr>`;
  });
  return `<div class="wide"><table>
<thead><tr><th scope="col">constraint</th><th scope="col">target</th><th scope="col">removed</th><th scope="col">cost</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}

/** A plot with its heading and caption. */
export function figure({ name, title, caption, svg }: ReportPlot): string {
  // Inside HTML, an XML declaration would be text.
  const inline = svg.replace(/^<\?xml[^>]*\?>\s*/, "")
    .replace("<svg ", `<svg role="img" aria-label="${escaped(title)}" `);
  return `<figure id="${escaped(name)}">
<h2>${escaped(title)}</h2>
<div class="plot">${inline}</div>
<figcaption>${escaped(caption)}</figcaption>
</figure>`;
}

function facts(report: PruneReport): string {
  const { data, versions } = report;
  return factList([
    ["date", report.date],
    ["base model", report.base_model],
    ["method", report.method],
    ["widths rounded to", String(report.round_to)],
    ["seed", String(report.seed)],
    ["data", data.name],
    ["training set", subset(data.train)],
    ...data.dev ? [["dev set", subset(data.dev)] as const] : [],
    ["test set", subset(data.test)],
    ["adapter", report.adapter],
    ["versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")],
  ]);
}

/** A list of names and values. */
export function factList(rows: readonly (readonly [string, string])[]): string {
  return `<dl>
${rows.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("\n")}
</dl>`;
}

function stageTable({ stages }: PruneReport): string {
  if (stages.length === 0) return "";
  const all = stages.reduce((sum, { seconds }) => sum + seconds, 0);
  const row = (name: string, seconds: number) =>
    `<tr><th scope="row">${escaped(name)}</th><td>${showTime(seconds)}</td><td>${
      percent(all > 0 ? seconds / all : 0, 0)
    }</td></tr>`;
  return `<div class="wide"><table>
<thead><tr><th scope="col">stage</th><th scope="col">time</th><th scope="col">share</th></tr></thead>
<tbody>
${stages.map(({ name, seconds }) => row(name, seconds)).join("\n")}
</tbody>
<tfoot>${row("total", all)}</tfoot>
</table></div>`;
}

/** A subset with its size. */
export function subset({ subset, utterances, seconds }: ReportSubset): string {
  return `${subset} (${count(utterances, "utterance")}, ${showTime(seconds)} of audio)`;
}

function count(n: number, what: string): string {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}

function number(n: number): string {
  return String(Number(n.toPrecision(4)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
}
