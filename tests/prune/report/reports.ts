// Made-up reports of pruning, as a run would write them.
import { uniformAt } from "../../../random/philox.ts";
import type { Quantity } from "../../../prune/cost.ts";
import { finetuningCurve, pruningCurve } from "../../../prune/report/curves.ts";
import type { PruneReport, ReportModel } from "../../../prune/report/report.ts";
import type { MetricsRecord } from "../../../train/metrics.ts";

/** Options of {@linkcode madeUpReport}. */
export interface MadeUp {
  readonly task: "asr" | "slu";
  readonly method: "mac" | "sep-size";
  readonly layers?: number;
  readonly steps?: number;
  readonly wide?: boolean;
}

/** Lines of the metrics of a pruning. */
export function pruningLines(
  quantities: readonly Quantity[],
  steps: number,
  random: () => number,
): MetricsRecord[] {
  return Array.from({ length: steps }, (_, i) => i + 1).flatMap((step) => {
    const line: Record<string, number> = {
      loss: 1.1 + 2.4 * Math.exp(-step / 60) + 0.5 * step / steps + 0.35 * (random() - 0.5),
      grad_norm: 3 + random(),
      lr: 1e-4,
      audio: 32,
      seconds: 0.8,
    };
    quantities.forEach((quantity, i) => {
      const goal = 0.5 - 0.2 * i;
      const target = goal * Math.min(1, step / (0.4 * steps));
      const lag = 0.06 * Math.exp(-Math.max(0, step - 0.4 * steps) / (0.1 * steps)) *
        Math.min(1, 5 * step / steps);
      line[`removed.${quantity}`] = target - lag + 0.006 * (random() - 0.5);
      line[`target.${quantity}`] = target;
      line[`lambda1.${quantity}`] = (1.2 + i) * (1 - Math.exp(-3 * step / steps));
      line[`lambda2.${quantity}`] = (0.4 + 0.3 * i) * step / steps;
    });
    const evaluation = { step, dev_loss: line.loss! + 0.2, wer: 0.3 };
    return step % 200 === 0 ? [{ step, ...line }, evaluation] : [{ step, ...line }];
  });
}

/** A report of a run on a model of a few layers, or one as wide as wav2vec2-base. */
export function madeUpReport({ task, method, layers = 4, steps = 900, wide = false }: MadeUp): PruneReport {
  let drawn = 0;
  const random = () => uniformAt(drawn++, { seed: 0, purpose: `${task} ${method}`, step: 0 });
  const quantities: Quantity[] = method === "mac" ? ["macs"] : ["conv", "transformer"];
  const interval = (value: number, half: number) => ({ value, low: value - half, high: value + 1.1 * half });
  const rate = (value: number, half: number) => ({
    ...interval(value, half),
    substitutions: Math.round(900 * value),
    insertions: Math.round(300 * value),
    deletions: Math.round(800 * value),
    reference: 2000,
    utterances: 600,
  });
  const scale = wide ? 220 : 1;
  const bases = { macs: 482e6, conv: 61_000, transformer: 354_520, parameters: 415_520 };
  const model = (name: ReportModel["name"], error: number, left: number): ReportModel => ({
    name,
    wer: task === "asr" ? rate(error, 0.006 + 0.1 * error) : null,
    cer: task === "asr" ? rate(error / 3, 0.003) : null,
    accuracy: task === "slu" ? interval(1 - error, 0.012) : null,
    errors: Array.from({ length: 600 }, (_, i) => i % 7 === 0 ? 1 : 0),
    parameters: Math.round(415_520 * scale * left),
    macs_per_second: 48.2e6 * scale * left,
    seconds_per_second: 0.0201 * (0.16 + 0.84 * left),
    file_bytes: Math.round((1_662_080 + 12_000) * scale * left),
  });
  const units: Record<string, { of: number; kept: number[] }> = {};
  const group = (name: string, of: number, share: number) => {
    units[name] = { of, kept: Array.from({ length: of }, (_, i) => i).filter(() => random() < share) };
  };
  const conv = wide ? Array.from({ length: 7 }, () => 512) : [24, 24, 32, 48, 64, 64, 96];
  conv.forEach((of, i) => group(`conv.${i}`, of, 0.35 + 0.1 * i));
  for (let layer = 0; layer < layers; layer++) {
    group(`heads.${layer}`, wide ? 12 : 4, layer % 5 === 3 ? 1 : 0.55);
    group(`ffn.${layer}`, wide ? 3072 : 256, layer % 7 === 2 ? 0 : 0.25 + 0.6 * (layer / layers));
  }
  const finetuning: MetricsRecord[] = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    loss: 0.5 + 1.1 * Math.exp(-i / 150) + 0.25 * (random() - 0.5),
  })).flatMap((line) => {
    if (line.step % 100 !== 0) return [line];
    const left = Math.exp(-line.step / 300);
    const found = task === "asr"
      ? { wer: 0.05 + 0.2 * left, cer: 0.02 + 0.06 * left }
      : { accuracy: 0.95 - 0.2 * left };
    return [line, { step: line.step, dev_loss: 0.62 + left, ...found, best: true }];
  });
  return {
    version: "0.1.0",
    command: `./espalier prune --model "my <base> & co" --data ~/commands --method ${method} --target 0.5`,
    date: "2026-11-25T09:30:00.000Z",
    task,
    base_model: "my <base> & co",
    data: {
      name: "commands",
      train: { subset: "train", utterances: 3000, seconds: 8123.4 },
      dev: { subset: "dev", utterances: 200, seconds: 541.2 },
      test: { subset: "test", utterances: 600, seconds: 1620.9, lengths: Array(600).fill(4) },
    },
    seed: 17,
    method,
    round_to: 4,
    constraints: quantities.map((quantity, i) => ({
      quantity,
      samples: 160_000,
      target_removed: 0.5 - 0.2 * i,
      removed: 0.5013 - 0.2 * i,
      cost: Math.round(bases[quantity] * scale * (0.4987 + 0.2 * i)),
      base_cost: bases[quantity] * scale,
    })),
    models: [model("dense", 0.0412, 1), model("pruned", 0.2178, 0.51), model("fine-tuned", 0.0441, 0.51)],
    timing: { utterances: 12, utterance_seconds: 5, rounds: 5 },
    pruning: pruningCurve(pruningLines(quantities, steps, random)),
    finetuning: finetuningCurve(finetuning),
    units,
    stages: [
      { name: "evaluating the dense model", seconds: 41.3 },
      { name: "pruning", seconds: 1394 },
      { name: "fine-tuning", seconds: 7250.5 },
    ],
    adapter: "llvmpipe (LLVM 15.0.6, 256 bits)",
    versions: { espalier: "0.1.0", deno: "2.9.6" },
  };
}
