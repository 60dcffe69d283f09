// Made-up sweeps, as runs would leave them.
import type { ReportModel } from "../../../prune/report/report.ts";
import type { SweepRecord, SweepRun } from "../../../prune/sweep/record.ts";
import { uniformAt } from "../../../random/philox.ts";

/** Words of the test utterances. */
const LENGTHS = Array.from({ length: 80 }, (_, i) => 2 + i % 5);

function model(name: ReportModel["name"], errors: readonly number[], task: "asr" | "slu", kept: number) {
  const whole = task === "asr" ? LENGTHS.reduce((sum, length) => sum + length, 0) : LENGTHS.length;
  const value = errors.reduce((sum, error) => sum + error, 0) / whole;
  const rate = { value, low: value - 0.01, high: value + 0.02 };
  const counts = {
    substitutions: 1,
    insertions: 0,
    deletions: 0,
    reference: whole,
    utterances: LENGTHS.length,
  };
  return {
    name,
    wer: task === "asr" ? { ...rate, ...counts } : null,
    cer: task === "asr" ? { ...rate, ...counts } : null,
    accuracy: task === "slu" ? { value: 1 - value, low: 1 - rate.high, high: 1 - rate.low } : null,
    parameters: Math.round(1e6 * kept),
    macs_per_second: 4e8 * kept,
    seconds_per_second: 0.01 * kept,
    file_bytes: 4e6 * kept,
  } as const;
}

/** A sweep with a finished control and runs of two methods, one of which failed at one target. */
export function madeUpSweep(task: "asr" | "slu" = "asr"): SweepRecord {
  const lengths = task === "asr" ? LENGTHS : LENGTHS.map(() => 1);
  const drawn = (purpose: string, rate: number) =>
    lengths.map((length, i) =>
      uniformAt(i, { seed: 0, purpose, step: 0 }) < rate ? Math.ceil(length / 3) : 0
    );
  const errors = drawn("dense", 0.2);
  const dense = model("dense", errors, task, 1);
  const runs = [["none", null], ["mac", 0.3], ["mac", 0.5], ["uniform", 0.5]] as const;
  return {
    version: "0.1.0",
    commands: ["./espalier sweep --methods none,mac,uniform --targets 0.3,0.5 --seeds 1,2 --out x"],
    date: "2026-11-30T12:00:00Z",
    common: {
      task,
      base_model: "models/digits",
      data: {
        name: "digits",
        train: { subset: "train", utterances: 900, seconds: 3000 },
        dev: null,
        test: { subset: "test", utterances: LENGTHS.length, seconds: 200, lengths },
      },
      dense: { ...dense, errors },
    },
    runs: [1, 2].flatMap((seed) =>
      runs.map(([method, target]): SweepRun => {
        const name = [method, ...target === null ? [] : [target], "seed", seed].join("-");
        const key = { name, method, target, seed, options: {} };
        if (method === "uniform" && seed === 2) {
          return { ...key, state: "failed", error: "Cannot work, as it is, with <this>", result: null };
        }
        const own = drawn(name, 0.15 + 0.4 * (target ?? 0) ** 2 + (method === "uniform" ? 0.1 : 0));
        const result = {
          command: `./espalier prune --method ${method} --seed ${seed}`,
          date: "2026-11-30T12:00:00Z",
          models: [dense, model("fine-tuned", own, task, 1 - (target ?? 0))],
          errors: own,
          constraints: [],
          stages: [{ name: "prune", seconds: 60 }, { name: "fine-tune", seconds: 40 }],
          adapter: "llvmpipe",
          versions: { espalier: "0.1.0" },
        };
        return { ...key, state: "finished", error: null, result };
      })
    ),
  };
}
