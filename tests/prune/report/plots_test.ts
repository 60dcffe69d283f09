import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { summaryText } from "../../../prune/report/summary.ts";
import { type ReportPlot, reportPlots } from "../../../prune/report/plots.ts";
import { pngsOf } from "../../../prune/report/png.ts";
import { writeReport } from "../../../prune/report/write.ts";
import { madeUpReport } from "./reports.ts";

const asr = madeUpReport({ task: "asr", method: "mac", steps: 300 });
const slu = madeUpReport({ task: "slu", method: "sep-size", layers: 12, wide: true, steps: 700 });
const names = ["models", "units", "map", "removed", "lambda", "loss", "dev"];

function plot(plots: readonly ReportPlot[], name: string): string {
  return plots.find((one) => one.name === name)!.svg;
}

Deno.test("plots show their values, and the same report gives the same plots", async () => {
  const plots = await reportPlots(slu);
  assertEquals(plots.map(({ name }) => name), names);
  assertEquals(await reportPlots(slu), plots);
  for (const { svg } of plots) assertStringIncludes(svg, 'width="900"');
  for (
    const [name, words] of Object.entries({
      models: ["accuracy", "95.88 %", "46.6 M · 51.0 %", "11.8 ms · 58.8 %"],
      units: ["Attention heads", "3,072", "kept", "removed"],
      removed: [
        "share removed (%)",
        "convolution parameters",
        "Transformer parameters, target",
        "after surgery",
      ],
      lambda: ["λ₁", "λ₂", "step"],
      loss: ["Fine-tuning", "smoothed", "on dev"],
      dev: ["accuracy on dev (%)"],
    })
  ) {
    for (const word of words) {
      assertStringIncludes(plot(plots, name), `>${word}`.slice(word === "after surgery" ? 1 : 0));
    }
  }
  assertStringIncludes(plot(await reportPlots(asr), "models"), "word error rate");
});

Deno.test("the map has a cell for every unit, and shares cells where there are more units than pixels", async () => {
  const units = {
    "heads.0": { of: 4, kept: [0, 1, 3] },
    "heads.1": { of: 4, kept: [] },
    "ffn.0": { of: 3072, kept: Array.from({ length: 1536 }, (_, i) => i) },
  };
  const svg = plot(await reportPlots({ ...asr, units }), "map");
  const cells = [...svg.matchAll(/<g [^>]*>(.*?)<\/g>/g)].map(([, row]) =>
    [...row!.matchAll(/fill="(#\w+)" d="([^"]*)"/g)].map((
      [, colour, path],
    ) => [colour, path!.split("z").length - 1])
  );
  assertEquals(cells, [
    [["#0b4f7d", 3], ["#d3dee7", 1]],
    [["#d3dee7", 4]],
    [["#0b4f7d", 1], ["#d3dee7", 1]],
  ]);
  for (const count of ["3 of 4", "0 of 4", "1,536 of 3,072", "75 %", "50 %"]) {
    assertStringIncludes(svg, count);
  }
});

const pictureOf = (content: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" font-family="Inter, sans-serif">${content}</svg>`;

Deno.test("PNG has its text without a font of the system", async () => {
  const text = '<text x="8" y="26" font-size="18">λ₁ → 4.1 %</text>';
  const [plain, drawn, bold] = await pngsOf([
    pictureOf(""),
    pictureOf(text),
    pictureOf(text.replace("<text", '<text font-weight="600"')),
  ]);
  const { Resvg } = await import("npm:@resvg/resvg-wasm@2.6.2");
  const fontless = new Resvg(pictureOf(text), {
    font: { loadSystemFonts: false },
    background: "#ffffff",
    fitTo: { mode: "zoom", value: 2 },
  }).render();
  assertEquals(new Uint8Array(fontless.asPng()), new Uint8Array(plain!), "without a font there is no text");
  assert(drawn!.length > plain!.length + 200, "with the font there is");
  assert(bold!.length > plain!.length + 200);
  assert(String(bold) !== String(drawn), "headings have a weight of their own");
  // Where the font has no such sign, resvg draws nothing.
  for (const sign of ["λ", "₁", "₂", "→", "·", "–", "%"]) {
    const [png] = await pngsOf([pictureOf(`<text x="8" y="26" font-size="18">${sign}</text>`)]);
    assert(String(png) !== String(plain), `${sign} is missing`);
  }
  const error = await assertRejects(
    () => pngsOf(["<svg"]),
    Error,
    "Cannot draw PNG files as picture 0 must be SVG",
  );
  assert(!error.message.includes("\n"));
});

Deno.test("a report is written as JSON, page and pictures", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeReport(`${folder}/new/run`, asr);
    const files = [...Deno.readDirSync(`${folder}/new/run`)].map(({ name }) => name).sort();
    assertEquals(files, ["README.md", "plots", "report.html", "report.json"]);
    const plots = [...Deno.readDirSync(`${folder}/new/run/plots`)].map(({ name }) => name).sort();
    assertEquals(plots, names.flatMap((name) => [`${name}.png`, `${name}.svg`]).sort());
    const text = await Deno.readTextFile(`${folder}/new/run/report.json`);
    const read = JSON.parse(text);
    assertEquals(read, asr);
    assertEquals(summaryText(read), summaryText(asr));
    assert(text.split("\n").length < 350, "each list of values is on one line");
    for (const name of names) {
      const png = await Deno.readFile(`${folder}/new/run/plots/${name}.png`);
      assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      assertEquals(new DataView(png.buffer).getUint32(16), 1800);
    }
    await Deno.writeTextFile(`${folder}/file`, "");
    const error = await assertRejects(
      () => writeReport(`${folder}/file`, asr),
      Error,
      "as the system refuses",
    );
    assert(!error.message.includes("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
