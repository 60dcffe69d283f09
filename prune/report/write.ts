import { makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { modelCard } from "./model_card.ts";
import type { PruneReport } from "./report.ts";
import { reportHtml } from "./html.ts";
import { reportPlots } from "./plots.ts";
import { pngsOf } from "./png.ts";

/**
 * Writes a report: `report.json`, `README.md` (the model card), `report.html`, and its plots as `plots/*.svg` and `plots/*.png`. Each file is written
 * completely or not at all. `report.json` comes first and the PNGs last, so that a package that cannot be loaded costs only
 * the files that need it.
 *
 * @param folder Folder; it is created if it is missing.
 * @param report The report.
 * @throws {Error} If a file cannot be written, or a package for plots cannot be loaded; one line.
 *
 * @example
 * ```ts ignore
 * import { writeReport } from "./write.ts";
 *
 * await writeReport("pruned", report); // pruned/report.html and more
 * ```
 */
export async function writeReport(folder: string, report: PruneReport): Promise<void> {
  const write = (path: string, content: string | Uint8Array) =>
    writeFileAtomic(`${folder}/${path}`, [
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    ]);
  await makeFolder(`${folder}/plots`);
  await write("report.json", encodeReport(report));
  await write("README.md", modelCard(report));
  const plots = await reportPlots(report);
  for (const { name, svg } of plots) await write(`plots/${name}.svg`, svg);
  await write("report.html", reportHtml(report, plots));
  const pngs = await pngsOf(plots.map(({ svg }) => svg));
  for (const [i, { name }] of plots.entries()) await write(`plots/${name}.png`, pngs[i]!);
}

/** The report as JSON, each list of values on one line. */
function encodeReport(report: PruneReport): string {
  // JSON strings have no line breaks, so that only lists match.
  return JSON.stringify(report, null, 2)
    .replace(/\[\n[-+.\deE,\s]*\]/g, (list) => list.replace(/\s+/g, "").replaceAll(",", ", ")) + "\n";
}
