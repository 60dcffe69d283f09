import { escapeField } from "../files/printable.ts";
import { costsOf } from "../model/costs.ts";
import type { Evaluation, Hypothesis } from "../model/inference/evaluate.ts";
import { evaluate } from "../train/evaluate_model.ts";
import { defineCommand } from "./command.ts";
import { corpusOptions } from "./corpus_options.ts";
import { onFiles } from "./files.ts";
import { halfOption, langOption, modelOption, openModel, revisionOption } from "./model_option.ts";
import { group } from "./options.ts";
import { print, printError } from "./print.ts";
import { noteOnWords, searchOf, searchOptions } from "./search_options.ts";
import { note } from "./stderr.ts";

/** What `eval --json` prints. */
export interface EvalReport
  extends Omit<Evaluation, "computeSeconds" | "realTimeFactor" | "errors" | "lengths"> {
  readonly compute_seconds: number;
  /** Compute seconds per second of audio. */
  readonly real_time_factor: number;
  readonly model: string;
  readonly data: string;
  readonly subset: string;
  /** Parameters of the model without its head. */
  readonly parameters: number;
  /** Multiply–accumulates per second of audio, for 10 s of audio. */
  readonly macs_per_second: number;
  readonly adapter: string;
}

/** `eval`: error rate or accuracy, cost and speed on a corpus. */
export const evalCommand = defineCommand({
  name: "eval",
  summary: "Measure error rate or accuracy, cost and speed on a corpus",
  options: {
    ...group("Model and data", {
      model: modelOption,
      revision: revisionOption,
      lang: langOption,
      half: halfOption,
      data: { ...corpusOptions.data, required: true },
      subset: { type: "string", value: "NAME", description: "subset of the corpus", default: "test" },
      limit: corpusOptions.limit,
      strict: corpusOptions.strict,
    }),
    ...searchOptions,
    ...group("Output", {
      details: {
        type: "flag",
        description: "print reference and hypothesis of each utterance on standard error",
      },
      json: { type: "flag", description: "print JSON" },
    }),
  },
  examples: [
    ["word error rate on LibriSpeech test-clean", "eval -m compact --data ~/LibriSpeech --subset test-clean"],
  ],
  async run({ model, revision, lang, half, data, subset, limit, strict, details, json, ...values }) {
    const search = await searchOf(values);
    const loaded = await openModel(model, { half, revision, lang });
    try {
      noteOnWords(search, loaded);
      const report = await onFiles(async (): Promise<EvalReport> => {
        const onHypothesis = ({ utterance, reference, hypothesis }: Hypothesis) => {
          if (details) printError([utterance.id, reference, hypothesis].map(escapeField).join("\t"));
        };
        const part = { path: data, subset, limit, strict };
        const options = { ...search, warmUp: true, onHypothesis, onNote: note };
        const { computeSeconds, realTimeFactor, errors: _, lengths: __, ...evaluation } = await evaluate(
          loaded,
          part,
          options,
        );
        const { parameters, macs } = costsOf(loaded.model.config, 160_000);
        const adapter = loaded.model.gpu.name;
        return {
          model,
          data,
          subset,
          ...evaluation,
          compute_seconds: computeSeconds,
          real_time_factor: realTimeFactor,
          parameters,
          macs_per_second: macs / 10,
          adapter,
        };
      });
      print(json ? JSON.stringify(report, null, 2) : render(report));
      return 0;
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});

function render(report: EvalReport): string {
  const { wer, cer, accuracy, utterances, seconds, real_time_factor, parameters, macs_per_second } = report;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const rate = (name: string, { value, low, high }: { value: number; low: number; high: number }) =>
    `${name.padEnd(12)}${percent(value)}  (95 %: ${percent(low)} to ${percent(high)})`;
  return [
    `${report.model} on ${report.data}, ${report.subset}: ${utterances} utterances, ${seconds.toFixed(0)} s`,
    ...wer ? [rate("WER", wer)] : [],
    ...wer ? [`            sub ${wer.substitutions}, ins ${wer.insertions}, del ${wer.deletions}`] : [],
    ...cer ? [rate("CER", cer)] : [],
    ...accuracy ? [rate("accuracy", accuracy)] : [],
    `parameters  ${parameters.toLocaleString("en")}`,
    `MACs        ${(macs_per_second / 1e6).toFixed(1)} million per second of audio`,
    `speed       ${(1000 * real_time_factor).toPrecision(3)} ms per second of audio on ${report.adapter}`,
  ].join("\n");
}
