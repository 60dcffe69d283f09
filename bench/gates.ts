/**
 * Measures whether closed gates save time: a pruning step of the bundled model with half of the units of every group closed,
 * beside the same step with all units open.
 *
 * @module
 */

import type { Gpu } from "../tensor/gpu.ts";
import type { Trainer } from "../train/trainer.ts";
import { alternate, medianOf, type Sample } from "./alternate.ts";
import type { TitledTable } from "./record.ts";
import { digits, median } from "./statistics.ts";
import { ROOT, stepModules } from "./step_modules.ts";
import { checkpointOf, makeTrainer, noiseBatch, takeStep } from "./steps.ts";

/** Utterances of a step, and samples of each: 16 s in all, as in the default run. */
const [BATCH, SAMPLES] = [6, 42_667];
/** Steps per timing sample, and pairs of samples per round. Samples are short, since a machine's speed drifts. */
const [STEPS, PAIRS] = [2, 5];

/** Samples of {@linkcode STEPS} steps. */
export interface GateTimes {
  /** With all units open. */
  readonly open: readonly Sample[];
  /** With the first half of every group closed. */
  readonly half: readonly Sample[];
}

/**
 * Measures pruning steps with open and with half-closed gates in alternation.
 *
 * @param gpu Device.
 * @param rounds Sets of five samples of each.
 */
export async function measureGates(gpu: Gpu, rounds: number): Promise<GateTimes> {
  const modules = await stepModules(ROOT);
  const checkpoint = await checkpointOf(modules, "tiny");
  const batch = noiseBatch(BATCH, SAMPLES, true);
  const trainerOf = (closed: number) =>
    makeTrainer(modules, gpu, checkpoint, { kind: "prune", teacher: false, closed });
  using open = trainerOf(0);
  using half = trainerOf(0.5);
  const stepsOf = (trainer: Trainer) => async () => {
    for (let step = 0; step < STEPS; step++) await takeStep(trainer, batch, step);
    await gpu.sync();
  };
  const samples = await alternate([stepsOf(open), stepsOf(half)], rounds * PAIRS);
  return { open: samples[0]!, half: samples[1]! };
}

/** The times of a step as a table. The ratio is the median over pairs of consecutive samples. */
export function gatesTables({ open, half }: GateTimes): TitledTable[] {
  const ms = (samples: readonly Sample[], key: keyof Sample) =>
    `${digits(medianOf(samples, key) / STEPS)} ms`;
  const ratio = (key: keyof Sample) => median(half.map((sample, pair) => sample[key] / open[pair]![key]));
  return [{
    title: `A pruning step of the embedded model on 16 s of audio, without a teacher, ` +
      `medians of ${open.length} pairs of alternating samples of ${STEPS} steps`,
    head: ["", "all units open", "half of every group closed", "ratio"],
    rows: ([["time", "wall"], ["CPU time", "cpu"]] as const).map((
      [name, key],
    ) => [name, ms(open, key), ms(half, key), ratio(key).toFixed(2)]),
  }];
}
