import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readWhole } from "../../model/whole_file.ts";
import { curvesOf, summaryText, tuningOf } from "../../prune/report.ts";
import { reportHtml } from "../../prune/report_html.ts";
import { reportPlots } from "../../prune/report_plots.ts";
import { pngsOf } from "../../prune/report_png.ts";
import { writeReport } from "../../prune/write_report.ts";
import { madeUpReport } from "./reports.ts";

const asr = madeUpReport({ task: "asr", method: "mac", steps: 60 });
const slu = madeUpReport({ task: "slu", method: "sep-size", steps: 60 });

Deno.test("metrics become the curves of a report, torn and foreign lines aside", () => {
  const macs = { "removed.macs": 0.1, "target.macs": 0.2, "lambda1.macs": -1, "lambda2.macs": 3 };
  const pruning = curvesOf([
    { step: 1, loss: 2, ...macs },
    { step: 1, dev_loss: 2.5, wer: 0.4 },
    { step: 2, loss: 1, ...macs, "removed.macs": 0.3 },
  ]);
  assertEquals(pruning.steps, [1, 2]);
  assertEquals(pruning.loss, [2, 1]);
  assertEquals(pruning.constraints, [
    { quantity: "macs", expected: [0.1, 0.3], target: [0.2, 0.2], lambda1: [-1, -1], lambda2: [3, 3] },
  ]);
  assertEquals(curvesOf([]), { steps: [], loss: [], constraints: [] });
  const tuning = tuningOf([{ step: 1, loss: 3 }, { step: 1, dev_loss: 2, accuracy: 0.9, best: true }]);
  assertEquals(tuning, { steps: [1], loss: [3], evaluations: [{ step: 1, loss: 2, accuracy: 0.9 }] });
});

Deno.test("the summary has a line for each model and each constraint", () => {
  for (const report of [asr, slu]) {
    const lines = summaryText(report).split("\n").filter((line) => line !== "");
    assertEquals(lines.length, 1 + report.models.length + report.constraints.length);
    for (const { name } of report.models) assert(lines.some((line) => line.startsWith(name)), name);
  }
});

Deno.test("the page is whole by itself, and what it quotes is escaped", async () => {
  const name = `<script>alert("x")</script> & 'co'`;
  const report = { ...asr, base_model: name, command: `./espalier prune --model '${name}'` };
  const html = reportHtml(report, await reportPlots(report));
  assert(!/<script|<link|<img|src=|url\((?!#)|@import/i.test(html), "it loads something");
  const addresses = [...html.matchAll(/https?:\/\/[^\s"'<)]*/g)].map(([url]) => url);
  assert(addresses.every((url) => url.startsWith("http://www.w3.org/")), addresses.join());
  assertStringIncludes(html, "&lt;script&gt;");
  assertEquals(html.match(/<svg/g)?.length, html.match(/<\/svg>/g)?.length);
});

Deno.test("plots are the same each time, and have no number that is none", async () => {
  for (const report of [asr, slu]) {
    const plots = await reportPlots(report);
    assertEquals(plots, await reportPlots(report));
    for (const { name, svg } of plots) {
      assert(svg.startsWith("<svg") && svg.trimEnd().endsWith("</svg>"), name);
      assert(!/NaN|undefined|Infinity/.test(svg), name);
    }
  }
});

Deno.test("pictures have text, whatever fonts the machine has", async () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><rect width="200" height="40" fill="#fff"/>` +
    `<text x="9" y="27" font-size="20" font-family="DejaVu Sans">${text}</text></svg>`;
  const [full, empty] = await pngsOf([svg("WER 4.1 %"), svg("")]);
  for (const png of [full!, empty!]) {
    assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  }
  assert(full!.length > empty!.length + 200, `${full!.length} bytes with text, ${empty!.length} without`);
});

Deno.test("a report is written as page, numbers and pictures", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeReport(`${folder}/new`, asr);
    const bytes = await readWhole(`${folder}/new/report.json`);
    assertEquals(JSON.parse(new TextDecoder().decode(bytes!)), JSON.parse(JSON.stringify(asr)));
    const plots = [...Deno.readDirSync(`${folder}/new/plots`)].map(({ name }) => name);
    assertEquals(plots.filter((name) => name.endsWith(".svg")).length, plots.length / 2);
    assert(plots.length >= 10, plots.join());
    assert(!plots.some((name) => name.includes("partial")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
