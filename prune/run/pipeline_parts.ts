// The parts of a pruning run, for the run itself and for the estimate of its memory.

import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { regularize } from "../../train/regularize.ts";
import { Teacher } from "../../train/teacher.ts";
import { FinetuneTrainer } from "../../train/trainer.ts";
import { PruningTrainer } from "../pruning_trainer.ts";
import { HardConcreteGates } from "../hard_concrete_gates.ts";
import { measureSpeed, type Speed, type SpeedOptions } from "./measure_speed.ts";
import { planMethod } from "../method.ts";
import type { PlannedRun } from "./pipeline_options.ts";

/** Decay rates of the gates' Adam moments: low, as a run has few steps and the Lagrange multipliers change their sign. */
const GATE_BETAS = [0.5, 0.95] as const;

/** Gates of the pruning phase. */
export function gatesOf(options: PlannedRun): HardConcreteGates {
  const { checkpoint: { config }, pruning } = options;
  const { constraints, kinds } = planMethod(config, options);
  const { seed, targetWarmup: warmup, ramp } = pruning;
  return new HardConcreteGates({ config, constraints, kinds, seed, warmup, ramp, betas: GATE_BETAS });
}

/** Trainer of the pruning phase. */
export function pruningTrainer(
  { checkpoint, regularization, pruning, gradCheckpoint, weightDecay, comm = null }: PlannedRun,
  { gpu, gates, teacher }: { gpu: Gpu; gates: HardConcreteGates; teacher: Teacher | null },
): PruningTrainer {
  const config = regularize(checkpoint.config, regularization);
  const model = new SpeechModel(gpu, { ...checkpoint, config });
  return new PruningTrainer(model, { ...pruning, teacher, gradCheckpoint, weightDecay, gates, comm });
}

/** Trainer of all weights of the model before pruning, without gates. */
export function denseTrainer(
  { checkpoint, regularization, pruning, gradCheckpoint, weightDecay, comm = null }: PlannedRun,
  { gpu, teacher }: { gpu: Gpu; teacher: Teacher | null },
): FinetuneTrainer {
  const config = regularize(checkpoint.config, regularization);
  const model = new SpeechModel(gpu, { ...checkpoint, config });
  return new FinetuneTrainer(model, { ...pruning, teacher, gradCheckpoint, weightDecay, comm });
}

/** The model before pruning as teacher; null without distillation. */
export function teacherOf({ checkpoint, distill }: PlannedRun, gpu: Gpu): Teacher | null {
  return distill === 0 ? null : new Teacher(new SpeechModel(gpu, checkpoint), { share: distill });
}

/** Speed of models, the last stage of a run. */
export async function measureTime(
  checkpoints: readonly Checkpoint[],
  gpu: Gpu,
  options: SpeedOptions,
): Promise<Speed> {
  const models = checkpoints.map((checkpoint) => new SpeechModel(gpu, checkpoint));
  try {
    return await measureSpeed(models, options);
  } finally {
    for (const model of models) model.dispose();
  }
}
