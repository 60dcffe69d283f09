// The model card of a compact model: README.md with the metadata that Hugging Face's hub reads.
import type { Interval } from "../../model/inference/error_rate.ts";
import type { PruneReport, ReportModel } from "./report.ts";
import { lastPart, QUANTITY_WORDS, reportTable } from "./summary.ts";

const TASKS = {
  asr: {
    pipeline: "automatic-speech-recognition",
    name: "Automatic Speech Recognition",
    auto: "AutoModelForCTC",
  },
  slu: {
    pipeline: "audio-classification",
    name: "Audio Classification",
    auto: "AutoModelForAudioClassification",
  },
} as const;

/**
 * The model card as Markdown. It has no paths of the machine: a model or corpus in a folder goes by the folder's name.
 *
 * @param report The report of the run that made the model.
 */
export function modelCard(report: PruneReport): string {
  const { data, seed, adapter, version } = report;
  const base = publicName(report.base_model);
  return `---
${metadata(report)}
---

# ${lastPart(base)}, compact

${origin(report, base)}

## Results

${data.test.utterances.toLocaleString("en")} utterances of ${
    publicName(data.name)
  }, subset \`${data.test.subset}\`; intervals of 95 %; time on ${adapter}.

${markdownTable(report)}

## Use

With \`transformers\`, by the Python file of this folder:

\`\`\`python
from transformers import ${TASKS[report.task].auto}

model = ${TASKS[report.task].auto}.from_pretrained("FOLDER", trust_remote_code=True)
\`\`\`

With Espalier, on any GPU that speaks WebGPU:

\`\`\`sh
./espalier ${report.task === "asr" ? "transcribe" : "classify"} --model FOLDER speech.wav
\`\`\`

## Training

Espalier ${version}, seed ${seed}, on the subset \`${data.train.subset}\` of ${publicName(data.name)} (${
    data.train.utterances.toLocaleString("en")
  } utterances, ${(data.train.seconds / 3600).toFixed(1)} h):

    ${withoutPaths(report.command)}

\`espalier.json\` lists the units that were kept.
`;
}

/** How the model was made. */
function origin({ method, constraints }: PruneReport, base: string): string {
  if (method === "none") {
    return `Espalier trained \`${base}\` on as the control of a pruning: in the same way, and with nothing removed.`;
  }
  const removed = constraints.map(({ quantity, removed }) =>
    `${(100 * removed).toFixed(1)} % of its ${QUANTITY_WORDS[quantity]}`
  ).join(" and ");
  return `Espalier removed ${removed} from \`${base}\` by structured pruning (\`${method}\`, HJ-Pruning, [arXiv
2302.14132](https://arxiv.org/abs/2302.14132)) and fine-tuned what is left. Convolution channels, attention heads and feed-forward units are cut out of
the weights: layers have different sizes, listed in \`config.json\`.`;
}

/** YAML of the front matter. JSON's strings are YAML's. */
function metadata({ base_model, data, task, models }: PruneReport): string {
  const { pipeline, name } = TASKS[task];
  const compact = models.at(-1)!;
  const base = isHubName(base_model) ? [`base_model: ${JSON.stringify(base_model.replace(/@.*/, ""))}`] : [];
  const corpus = publicName(data.name);
  return [
    ...base,
    "library_name: transformers",
    `pipeline_tag: ${pipeline}`,
    "tags:",
    "- espalier",
    "- structured-pruning",
    "- speech",
    "model-index:",
    `- name: ${JSON.stringify(`${lastPart(base_model)}, compact`)}`,
    "  results:",
    "  - task:",
    `      type: ${pipeline}`,
    `      name: ${name}`,
    "    dataset:",
    `      name: ${JSON.stringify(corpus)}`,
    `      type: ${JSON.stringify(corpus.toLowerCase().replace(/[^a-z0-9]+/g, "-"))}`,
    `      split: ${JSON.stringify(data.test.subset)}`,
    "    metrics:",
    ...metrics(compact),
  ].join("\n");
}

function metrics({ wer, cer, accuracy }: ReportModel): string[] {
  const metric = (type: string, name: string, interval: Interval | null): string[] => {
    if (!interval) return [];
    const number = (share: number) => String(Number((100 * share).toFixed(2)));
    return [
      `    - type: ${type}`,
      `      value: ${number(interval.value)}`,
      `      name: ${name}, % (95 % interval ${number(interval.low)} to ${number(interval.high)})`,
    ];
  };
  return [
    ...metric("wer", "Word error rate", wer),
    ...metric("cer", "Character error rate", cer),
    ...metric("accuracy", "Accuracy", accuracy),
  ];
}

function markdownTable(report: PruneReport): string {
  const { head, rows } = reportTable(report);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(head),
    line(head.map((_, i) => i === 0 ? "---" : "---:")),
    ...rows.map((row) => line(row.map(({ text, note }) => note === "" ? text : `${text} (${note})`))),
  ].join("\n");
}

/** Whether a model is named by its name on the hub. */
function isHubName(name: string): boolean {
  return /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(name) && !/^\.{1,2}\//.test(name);
}

/** A name on the hub, or the last part of a path. */
function publicName(name: string): string {
  return isHubName(name) ? name : lastPart(name);
}

/** A command line with absolute paths shortened to their last part. */
function withoutPaths(command: string): string {
  return command.replace(/(?<=^|[\s'"=])(?:[A-Za-z]:)?[/\\][^\s'"]*/g, lastPart);
}
