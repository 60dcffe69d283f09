import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { modelCard } from "../../../prune/report/model_card.ts";
import { madeUpReport } from "./reports.ts";

const report = {
  ...madeUpReport({ task: "asr", method: "mac" }),
  base_model: "facebook/wav2vec2-base-100h@main",
  command: "espalier prune --model /home/jane/model --data=/data/LibriSpeech --target 0.5",
};

Deno.test("a model card has the hub's metadata: base model, task, metrics with intervals", () => {
  const card = modelCard(report);
  const [, front] = card.split("---\n");
  const { wer, cer } = report.models.at(-1)!;
  const number = (share: number) => Number((100 * share).toFixed(2));
  const metric = (
    type: string,
    name: string,
    { value, low, high }: { value: number; low: number; high: number },
  ) => [
    `    - type: ${type}`,
    `      value: ${number(value)}`,
    `      name: ${name}, % (95 % interval ${number(low)} to ${number(high)})`,
  ];
  assertEquals(front!.trimEnd().split("\n"), [
    `base_model: "facebook/wav2vec2-base-100h"`,
    "library_name: transformers",
    "pipeline_tag: automatic-speech-recognition",
    "tags:",
    "- espalier",
    "- structured-pruning",
    "- speech",
    "model-index:",
    `- name: "wav2vec2-base-100h@main, compact"`,
    "  results:",
    "  - task:",
    "      type: automatic-speech-recognition",
    "      name: Automatic Speech Recognition",
    "    dataset:",
    `      name: ${JSON.stringify(report.data.name.split("/").at(-1))}`,
    `      type: "${report.data.name.split("/").at(-1)!.toLowerCase().replace(/[^a-z0-9]+/g, "-")}"`,
    `      split: "${report.data.test.subset}"`,
    "    metrics:",
    ...metric("wer", "Word error rate", wer!),
    ...metric("cer", "Character error rate", cer!),
  ]);
});

Deno.test("a model card has no paths of the machine", () => {
  const card = modelCard({
    ...report,
    base_model: "/home/jane/model",
    data: { ...report.data, name: "/data/LibriSpeech" },
  });
  assert(!/home|jane|\/data/.test(card), card);
  assertStringIncludes(card, "    espalier prune --model model --data=LibriSpeech --target 0.5\n");
  assert(!card.includes("base_model:"));
});

Deno.test("a model card of a classifier has its accuracy", () => {
  const card = modelCard(madeUpReport({ task: "slu", method: "mac" }));
  assertStringIncludes(card, "pipeline_tag: audio-classification");
  assertStringIncludes(card, "    - type: accuracy");
  assertStringIncludes(card, "AutoModelForAudioClassification");
});
