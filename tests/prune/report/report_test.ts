import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { finetuningCurve, pruningCurve } from "../../../prune/report/curves.ts";
import type { PruneReport } from "../../../prune/report/report.ts";
import { reportHtml } from "../../../prune/report/html.ts";
import { reportPlots } from "../../../prune/report/plots.ts";
import { percent, resultText, scaled, summaryText } from "../../../prune/report/summary.ts";
import { madeUpReport, pruningLines } from "./reports.ts";

const asr = madeUpReport({ task: "asr", method: "mac", steps: 300 });
const slu = madeUpReport({ task: "slu", method: "sep-size", layers: 12, wide: true, steps: 700 });

Deno.test("metrics become curves of pruning, without evaluations and incomplete records", () => {
  const lines = pruningLines(["conv", "transformer"], 400, () => 0.5);
  assertEquals(lines.length, 402);
  const { steps, loss, constraints } = pruningCurve([...lines, { step: 401, loss: null }, {
    step: 402,
    loss: 1,
  }]);
  assertEquals(steps, Array.from({ length: 400 }, (_, i) => i + 1));
  assertEquals(constraints.map(({ quantity }) => quantity), ["conv", "transformer"]);
  const record = lines.find(({ step }) => step === 100)!;
  assertEquals(loss[99], record.loss);
  for (const { quantity, expected, target, lambda1, lambda2 } of constraints) {
    assertEquals([expected, target, lambda1, lambda2].map((values) => values.length), [400, 400, 400, 400]);
    const keys = ["removed", "target", "lambda1", "lambda2"].map((name) => `${name}.${quantity}`);
    assertEquals([expected[99], target[99], lambda1[99], lambda2[99]], keys.map((key) => record[key]));
  }
  assertEquals(pruningCurve([]), { steps: [], loss: [], constraints: [] });
});

Deno.test("metrics become curves of fine-tuning", () => {
  const curve = finetuningCurve([
    { step: 1, loss: 2, lr: 1e-4 },
    { step: 2, loss: 1.5, lr: 1e-4 },
    { step: 2, dev_loss: 1.7, wer: 0.3, cer: 0.1, best: true },
    { step: 3, loss: null },
    { step: 4, dev_loss: 1.6, accuracy: 0.9 },
  ]);
  assertEquals(curve, {
    steps: [1, 2],
    loss: [2, 1.5],
    evaluations: [{ step: 2, loss: 1.7, wer: 0.3, cer: 0.1 }, { step: 4, loss: 1.6, accuracy: 0.9 }],
  });
});

Deno.test("counts and shares are shown with three digits and their unit", () => {
  assertEquals([0, 7, 999, 1234, 415_520, 999_950, 24.07e6, 7.409e9].map(scaled), [
    "0",
    "7",
    "999",
    "1.23 k",
    "416 k",
    "1.00 M",
    "24.1 M",
    "7.41 G",
  ]);
  assertEquals(percent(0.50126), "50.1 %");
});

Deno.test("the summary compares the models and states target and result of each constraint", () => {
  assertEquals(summaryText(asr).split("\n").map((line) => line.replace(/ {2,}/g, " | ")), [
    "model | WER | CER | parameters | MACs for 1 s | time for 1 s | file",
    "dense | 4.12 % (3.1 % to 5.2 %) | 1.37 % (1.1 % to 1.7 %) | 415,520 | 48.2 M | 20.1 ms | 1.67 MB",
    "pruned | 21.78 % (19.0 % to 24.8 %) | 7.26 % (7.0 % to 7.6 %) | 211,915 (51.0 %) | 24.6 M (51.0 %) | " +
    "11.8 ms (58.8 %) | 854 kB (51.0 %)",
    "fine-tuned | 4.41 % (3.4 % to 5.6 %) | 1.47 % (1.2 % to 1.8 %) | 211,915 (51.0 %) | 24.6 M (51.0 %) | " +
    "11.8 ms (58.8 %) | 854 kB (51.0 %)",
    "",
    "multiply–accumulates: target 50.0 % removed, achieved 50.1 %: 482 M → 240 M",
  ]);
  const lines = summaryText(slu).split("\n");
  assert(/^model +accuracy +parameters /.test(lines[0]!));
  assert(/^convolution parameters: target 50.0 % removed, achieved 50.1 %: /.test(lines.at(-2)!));
  assert(/^Transformer parameters: target 30.0 % removed, achieved 30.1 %: /.test(lines.at(-1)!));
  const bare: PruneReport = {
    ...asr,
    constraints: [],
    models: asr.models.map((model) => ({ ...model, seconds_per_second: null, file_bytes: null })),
  };
  assert(/48\.2 M +– +–$/.test(summaryText(bare).split("\n")[1]!));
});

Deno.test("the result is one sentence", () => {
  assertEquals(
    resultText(asr),
    "50.1 % of the multiply–accumulates removed, 0.59 of the time, WER 4.1 % → 4.4 %",
  );
  assertEquals(
    resultText(slu),
    "50.1 % of the convolution parameters and 30.1 % of the Transformer parameters removed, 0.59 of the time, " +
      "accuracy 95.9 % → 95.6 %",
  );
  assertEquals(resultText({ ...asr, constraints: [], models: [] }), "");
});

Deno.test("the page has all values, escapes text of others, and loads nothing", async () => {
  for (const report of [asr, slu]) {
    const html = reportHtml(report, await reportPlots(report));
    const body = html.slice(html.indexOf("<body>"));
    for (const { name, parameters } of report.models) {
      assertStringIncludes(body, `<th scope="row">${name}</th>`);
      assertStringIncludes(body, parameters.toLocaleString("en"));
    }
    for (
      const text of ["my &lt;base&gt; &amp; co", "--model &quot;my", "<dd>17</dd>", "llvmpipe", "deno 2.9.6"]
    ) {
      assertStringIncludes(body, text);
    }
    for (
      const text of ["3,000 utterances, 2 h 15 min of audio", "23 min", "2 h 1 min", "50.13 %", "<dd>4</dd>"]
    ) {
      assertStringIncludes(body, text);
    }
    assert(!html.includes("<base"), "a name of the user is no element");
    assert(!/<(script|link|iframe|img|object)\b/i.test(html), "nothing is loaded or run");
    assert(
      !/(?:src|href)\s*=|url\((?!#)|@import/i.test(html.replaceAll('xmlns:xlink="', "")),
      "no references",
    );
    const addresses = new Set(html.match(/https?:\/\/[^"' )]+/g));
    addresses.delete("http://www.w3.org/2000/svg");
    addresses.delete("http://www.w3.org/1999/xlink");
    assertEquals([...addresses], []);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assertEquals(ids.length, new Set(ids).size, "ids are unique in the page");
  }
});

Deno.test("a report without curves and timing still makes a page", async () => {
  const nothing: PruneReport = {
    ...asr,
    data: { ...asr.data, dev: null },
    timing: null,
    pruning: pruningCurve([]),
    finetuning: finetuningCurve([]),
    stages: [],
    models: asr.models.slice(0, 2).map((model) => ({ ...model, seconds_per_second: null })),
  };
  const plots = await reportPlots(nothing);
  assertEquals(plots.map(({ name }) => name), ["models", "units", "map"]);
  assertStringIncludes(reportHtml(nothing, plots), "<h2>The run</h2>");
});
