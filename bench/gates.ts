/**
 * Measures whether closed gates save time: a pruning step of the bundled model with half of the units of every group closed,
 * beside the same step with all units open.
 *
 * @module
 */

import type { Gpu } from "../tensor/gpu.ts";
import type { Trainer } from "../train/trainer.ts";
import type { TitledTable } from "./record.ts";
import { digits, median } from "./statistics.ts";
import { ROOT, stepModules } from "./step_modules.ts";
import { checkpointOf, makeTrainer, noiseBatch, takeStep } from "./steps.ts";

/** Utterances of a step, and samples of each: 16 s in all, as in the default run. */
const [BATCH, SAMPLES] = [6, 42_667];
/** Steps per timing sample, and pairs of samples per round. Samples are short, since a machine's speed drifts. */
const [STEPS, PAIRS] = [2, 5];

/** Time of a step in milliseconds. */
export interface GateTimes {
  /** With all units open. */
  readonly open: number;
  /** With the first half of every group closed. */
  readonly half: number;
  /** Ratio half / open, the median over pairs of consecutive samples. */
  readonly ratio: number;
}

/**
 * Measures pruning steps with open and with half-closed gates in alternation.
 *
 * @param gpu Device.
 * @param rounds Sets of five samples of each; the result is the median over all.
 */
export async function measureGates(gpu: Gpu, rounds: number): Promise<GateTimes> {
  const modules = await stepModules(ROOT);
  const checkpoint = await checkpointOf(modules, "tiny");
  const batch = noiseBatch(BATCH, SAMPLES, true);
  const trainerOf = (closed: number) =>
    makeTrainer(modules, gpu, checkpoint, { kind: "prune", teacher: false, closed });
  using open = trainerOf(0);
  using half = trainerOf(0.5);
  const sample = async (trainer: Trainer) => {
    const start = performance.now();
    for (let step = 0; step < STEPS; step++) await takeStep(trainer, batch, step);
    await gpu.sync();
    return (performance.now() - start) / STEPS;
  };
  const times = { open: [] as number[], half: [] as number[] };
  for (const trainer of [open, half]) await sample(trainer);
  for (let pair = 0; pair < rounds * PAIRS; pair++) {
    times.open.push(await sample(open));
    times.half.push(await sample(half));
  }
  const ratio = median(times.half.map((half, pair) => half / times.open[pair]!));
  return { open: median(times.open), half: median(times.half), ratio };
}

/** The times as a table. */
export function gatesTables({ open, half, ratio }: GateTimes): TitledTable[] {
  return [{
    title: "A pruning step of the embedded model on 16 s of audio, without a teacher",
    head: ["all units open", "half of every group closed", "ratio"],
    rows: [[`${digits(open)} ms`, `${digits(half)} ms`, ratio.toFixed(3)]],
    left: [],
  }];
}
