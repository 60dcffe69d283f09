/**
 * Steps of pruning and of fine-tuning to measure: of the bundled model and of wav2vec2-base with random weights.
 *
 * @module
 */

import type { Checkpoint } from "../model/checkpoint/read.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { MicroBatch } from "../train/micro_batch.ts";
import type { Trainer } from "../train/trainer.ts";
import { uniform } from "./inputs.ts";
import { ROOT, type StepModules } from "./step_modules.ts";

/** Models to train: that of `assets/commands-tiny`, and the base model. */
export const STEP_MODELS = ["tiny", "base"] as const;
/** A model to train. */
export type StepModel = typeof STEP_MODELS[number];

/** Kinds of steps. */
export const STEP_KINDS = ["prune", "finetune"] as const;
/** A kind of step. */
export type StepKind = typeof STEP_KINDS[number];

/** A log-alpha of this value gives the gate 1, its negative 0, for every random draw. */
const SATURATED = 20;

/** Weight of the distillation loss, as by default in `prune`. */
const DISTILL = 0.9;

/** A batch of noise with twelve tokens per utterance. */
export function noiseBatch(utterances: number, samples: number, attentionMask: boolean): MicroBatch {
  return {
    inputValues: uniform(utterances * samples, 1),
    samples,
    lengths: Array(utterances).fill(samples),
    attentionMask,
    targets: Array.from({ length: utterances }, () => [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    references: Array(utterances).fill(""),
    masked: null,
    seconds: utterances * samples / 16_000,
  };
}

/** Options of {@linkcode makeTrainer}. */
export interface TrainerOptions {
  readonly model: StepModel;
  readonly kind: StepKind;
  /** Whether there is a teacher: the model itself. */
  readonly teacher: boolean;
  /** Share of the units of every group whose gates are closed. */
  readonly closed?: number;
}

/** The weights to start from, without dropout and masks, as in a default run. */
export async function checkpointOf(modules: StepModules, model: StepModel): Promise<Checkpoint> {
  const { parseConfig, randomCheckpoint, readCheckpoint, regularize } = modules;
  const config = async () =>
    parseConfig(await Deno.readTextFile(`${ROOT}/recipes/configs/wav2vec2-base.json`));
  const checkpoint = model === "tiny"
    ? await readCheckpoint(`${ROOT}/assets/commands-tiny`)
    : randomCheckpoint(await config(), 0, "ctc");
  return { ...checkpoint, config: regularize(checkpoint.config, { dropout: 0, maskProb: 0 }) };
}

/** A trainer whose steps change nothing: all learning rates are 0. */
export function makeTrainer(
  modules: StepModules,
  gpu: Gpu,
  checkpoint: Checkpoint,
  { kind, teacher: distilled, closed = 0 }: Omit<TrainerOptions, "model">,
): Trainer {
  const { FinetuneTrainer, PruningTrainer, SpeechModel, Teacher } = modules;
  const teacher = distilled ? new Teacher(new SpeechModel(gpu, checkpoint), { share: DISTILL }) : null;
  const model = new SpeechModel(gpu, checkpoint);
  if (kind === "finetune") return new FinetuneTrainer(model, { lr: 0, teacher });
  const gates = gatesOf(modules, checkpoint, closed);
  return new PruningTrainer(model, { gates, lr: 0, gateRate: 0, lambdaRate: 0, steps: 1, teacher });
}

function gatesOf({ constraintsOf, HardConcreteGates }: StepModules, { config }: Checkpoint, closed: number) {
  const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
  const gates = new HardConcreteGates({ config, constraints, seed: 0 });
  const { updates, tensors } = gates.state();
  const logAlphas = gates.groups.map(({ name, units }) => {
    const closedUnits = Math.round(units * closed);
    const values = Float64Array.from({ length: units }, (_, i) => i < closedUnits ? -SATURATED : SATURATED);
    return [`log_alpha.${name}`, values] as const;
  });
  gates.restore({ updates, tensors: { ...tensors, ...Object.fromEntries(logAlphas) } });
  return gates;
}

/** Takes a step of a trainer and waits for its results. */
export async function takeStep(trainer: Trainer, batch: MicroBatch, step: number): Promise<void> {
  await trainer.step([batch], { seed: 0, step, lrScale: 1, maxGradNorm: 10 });
}
