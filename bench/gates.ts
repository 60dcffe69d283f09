/**
 * Measures whether closed gates save time: a pruning step of the bundled model with half of the units of every group closed,
 * beside the same step with all units open.
 *
 * @module
 */

import { uniformAt } from "../random/philox.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { constraintsOf } from "../prune/constraints.ts";
import { PruningTrainer } from "../prune/pruning_trainer.ts";
import { HardConcreteGates } from "../prune/hard_concrete_gates.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { MicroBatch } from "../train/micro_batch.ts";
import { regularize } from "../train/regularize.ts";
import { median } from "./statistics.ts";

const MODEL = new URL("../assets/commands-tiny", import.meta.url).pathname;

/** Utterances of a step, and samples of each: 16 s in all, as in the default run. */
const [BATCH, SAMPLES] = [6, 42_667];
/** Steps per timing sample, and pairs of samples per round. Samples are short, since a machine's speed drifts. */
const [STEPS, PAIRS] = [2, 5];
/** A log-alpha of this value gives the gate 1, its negative 0, for every random draw. */
const SATURATED = 20;

/** Time of a step in milliseconds. */
export interface GateTimes {
  /** With all units open. */
  readonly open: number;
  /** With the first half of every group closed. */
  readonly half: number;
  /** Ratio half / open, the median over pairs of consecutive samples. */
  readonly ratio: number;
}

function noiseBatch(): MicroBatch {
  const stream = { seed: 0, purpose: "clips to step with", step: 0 };
  return {
    inputValues: Float32Array.from({ length: BATCH * SAMPLES }, (_, i) => 2 * uniformAt(i, stream) - 1),
    samples: SAMPLES,
    lengths: Array(BATCH).fill(SAMPLES),
    attentionMask: true,
    targets: Array.from({ length: BATCH }, () => [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    references: Array(BATCH).fill(""),
    masked: null,
    seconds: BATCH * SAMPLES / 16_000,
  };
}

async function trainerOf(gpu: Gpu, closed: number): Promise<PruningTrainer> {
  const checkpoint = await readCheckpoint(MODEL);
  const config = regularize(checkpoint.config, { dropout: 0, maskProb: 0 }); // as in the default run
  const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
  const gates = new HardConcreteGates({ config, constraints, seed: 0 });
  const { updates, tensors } = gates.state();
  const logAlphas = gates.groups.map(({ name, units }) => {
    const closedUnits = Math.round(units * closed);
    const values = Float64Array.from({ length: units }, (_, i) => i < closedUnits ? -SATURATED : SATURATED);
    return [`log_alpha.${name}`, values] as const;
  });
  gates.restore({ updates, tensors: { ...tensors, ...Object.fromEntries(logAlphas) } });
  return new PruningTrainer(new SpeechModel(gpu, { ...checkpoint, config }), {
    gates,
    lr: 0,
    gateRate: 0,
    lambdaRate: 0,
    steps: 1,
  });
}

/**
 * Measures pruning steps with open and with half-closed gates in alternation.
 *
 * @param gpu Device.
 * @param rounds Sets of five samples of each; the result is the median over all.
 */
export async function measureGates(gpu: Gpu, rounds: number): Promise<GateTimes> {
  const batch = noiseBatch();
  using open = await trainerOf(gpu, 0);
  using half = await trainerOf(gpu, 0.5);
  const sample = async (trainer: PruningTrainer) => {
    const start = performance.now();
    for (let step = 0; step < STEPS; step++) {
      await trainer.step([batch], { seed: 0, step, lrScale: 1, maxGradNorm: 10 });
    }
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
