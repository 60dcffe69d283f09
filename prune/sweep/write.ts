import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import type { ReportPlot } from "../report/plots.ts";
import { lastPart } from "../report/summary.ts";
import { sweepCsv } from "./csv.ts";
import { type Group, groupsOf } from "./groups.ts";
import { sweepHtml } from "./html.ts";
import { sweepPlots } from "./plots.ts";
import type { SweepRecord } from "./record.ts";
import { markdownTable, missingLines, sweepTable, tableNote } from "./table.ts";

/**
 * Writes the tables and plots of a sweep: `sweep.csv`, `sweep.md`, `plots/*.svg` and `sweep.html`, each completely or not
 * at all.
 *
 * @param dir Its folder.
 * @param record The sweep.
 * @throws {Error} If a file cannot be written, or the package for plots cannot be loaded; one line.
 */
export async function writeSweep(dir: string, record: SweepRecord): Promise<void> {
  const write = (name: string, text: string) =>
    writeFileAtomic(`${dir}/${name}`, [new TextEncoder().encode(text)]);
  const groups = groupsOf(record);
  await write("sweep.csv", sweepCsv(record));
  await makeFolder(`${dir}/plots`);
  const plots = await sweepPlots(record, groups);
  await write("sweep.md", sweepMarkdown(record, groups, plots));
  for (const { name, svg } of plots) await write(`plots/${name}.svg`, svg);
  await write("sweep.html", sweepHtml(record, groups, plots));
}

/** The table of a sweep in Markdown, with what it has. */
function sweepMarkdown(record: SweepRecord, groups: readonly Group[], plots: readonly ReportPlot[]): string {
  const missing = missingLines(record).map((line) => `- ${line}`);
  return [
    `# Pruning of ${record.common ? lastPart(record.common.base_model) : "a model"}`,
    "",
    markdownTable(sweepTable(record, groups)),
    "",
    tableNote(record),
    ...missing.length > 0 ? ["", ...missing] : [],
    "",
    ...plots.map(({ name, title }) => `![${title}](plots/${name}.svg)`),
    "",
    "```sh",
    ...record.commands,
    "```",
    "",
  ].join("\n");
}
