import { openCorpus, type Utterance } from "../data/corpus/corpus.ts";
import { normalizeText } from "../data/corpus/vocabulary.ts";
import { costsOf } from "../model/costs.ts";
import { evaluate, type Evaluation, type Hypothesis } from "../model/inference/evaluate.ts";
import type { LoadedModel } from "../model/inference/load_model.ts";
import { clipsOf } from "./clips.ts";
import { defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { halfOption, modelOption, openModel } from "./model_option.ts";
import { searchOf, searchOptions } from "./search_options.ts";
import { outOfVocabulary } from "./out_of_vocabulary.ts";

/** What `eval --json` prints. */
export interface EvalReport extends Evaluation {
  readonly model: string;
  readonly data: string;
  readonly subset: string;
  /** Numbers of the model without its head. */
  readonly parameters: number;
  /** Multiply–accumulates for a second of audio, taken at 10 s. */
  readonly macs_per_second: number;
  readonly adapter: string;
}

/** `eval`: error rate or accuracy, cost and speed on a corpus. */
export const evalCommand = defineCommand({
  name: "eval",
  summary: "Measure error rate or accuracy, cost and speed of a model on a corpus",
  options: {
    model: modelOption,
    half: halfOption,
    data: {
      type: "path",
      description: "folder of a corpus in LibriSpeech or SLURP layout, or a manifest (JSON lines)",
      required: true,
    },
    subset: { type: "string", description: "subset of the corpus", default: "test" },
    ...searchOptions,
    limit: { type: "integer", description: "clips to evaluate at most", min: 1 },
    details: { type: "flag", description: "print what was heard in each clip to standard error" },
    json: { type: "flag", description: "print JSON" },
  },
  async run({ model, half, data, subset, limit, details, json, ...values }) {
    const search = await searchOf(values);
    const loaded = await openModel(model, half);
    try {
      const report = await onFiles(async (): Promise<EvalReport> => {
        const task = loaded.model.head === "classify" ? "slu" : "asr";
        loaded.requireHead(task === "slu" ? "classify" : "ctc");
        const all = await openCorpus(data, subset, { task });
        const onHypothesis = ({ utterance, reference, hypothesis }: Hypothesis) => {
          if (details) console.error(`${utterance.id}\t${reference}\t${hypothesis}`);
        };
        for (const note of notesOn(loaded, all)) console.error(`note: ${note}`);
        const clips = clipsOf(all.slice(0, limit));
        const found = await evaluate(loaded, clips, {
          ...search,
          normalize: (text) => normalizeText(text),
          onHypothesis,
        });
        const { parameters, macs } = costsOf(loaded.model.config, 160_000);
        const adapter = loaded.model.gpu.name;
        return { model, data, subset, ...found, parameters, macs_per_second: macs / 10, adapter };
      });
      console.log(json ? JSON.stringify(report, null, 2) : render(report));
      return 0;
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});

/** What of the corpus the model cannot answer. */
function notesOn({ model, tokenizer }: LoadedModel, clips: readonly Utterance[]): string[] {
  if (tokenizer) return outOfVocabulary(tokenizer, clips);
  const known = new Set(model.config.id2label);
  const others = new Set(clips.map(({ intent = "" }) => intent).filter((intent) => !known.has(intent)));
  if (others.size === 0) return [];
  return [`${others.size} classes of the clips are none of the model's, such as ${[...others][0]}`];
}

function render(report: EvalReport): string {
  const { wer, cer, accuracy, utterances, seconds, realTimeFactor, parameters, macs_per_second } = report;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const rate = (name: string, { value, low, high }: { value: number; low: number; high: number }) =>
    `${name.padEnd(12)}${percent(value)}  (95 %: ${percent(low)} to ${percent(high)})`;
  return [
    `${report.model} on ${report.data}, ${report.subset}: ${utterances} clips, ${seconds.toFixed(0)} s`,
    ...wer ? [rate("WER", wer)] : [],
    ...cer ? [rate("CER", cer)] : [],
    ...wer
      ? [
        `            ${wer.substitutions} substituted, ${wer.insertions} inserted, ${wer.deletions} left out`,
      ]
      : [],
    ...accuracy ? [rate("accuracy", accuracy)] : [],
    `parameters  ${parameters.toLocaleString("en")}`,
    `MACs        ${(macs_per_second / 1e6).toFixed(1)} million a second of audio`,
    `speed       ${(1000 * realTimeFactor).toPrecision(3)} ms a second of audio on ${report.adapter}`,
  ].join("\n");
}
