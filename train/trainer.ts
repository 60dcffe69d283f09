import type { SpeechModel } from "../model/speech_model.ts";
import { type BatchScores, evaluateBatches, type EvaluateBatchesOptions } from "./evaluate.ts";
import type { StepResult } from "./finite_step.ts";
import { type ParameterGroupOptions, parameterGroups } from "./groups.ts";
import type { MicroBatch } from "./micro_batch.ts";
import { AdamW } from "./optimizer.ts";
import type { StateSource, StateTensor } from "./run_state.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { TrainStep, type TrainStepOptions } from "./train_step.ts";

/** Options of {@linkcode Trainer.step}. */
export interface TrainerStepOptions {
  /** Seed of everything random in the step. */
  readonly seed: number;
  /** Index of the step, from 0. */
  readonly step: number;
  /** Factor of the peak learning rate. */
  readonly lrScale: number;
  /** Gradients are scaled down to this norm. */
  readonly maxGradNorm: number;
}

/** Results of a step, with more to log and to show. */
export interface StepRecord extends StepResult {
  /** More metrics, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** More fields of the progress line, by name. */
  readonly shown?: Readonly<Record<string, string>>;
}

/** What the training loop trains: a model with its optimizer, and whatever else changes from step to step. */
export interface Trainer extends Disposable {
  /** Model on the device. */
  readonly model: SpeechModel;
  /**
   * Takes a step, after those begun before it. If loss or gradient is not finite, neither this step nor those after it
   * change anything.
   */
  step(batches: readonly MicroBatch[], options: TrainerStepOptions): Promise<StepRecord>;
  /** Evaluates the model as it would be saved now. */
  evaluate(batches: AsyncIterable<MicroBatch>, options: EvaluateBatchesOptions): Promise<BatchScores>;
  /** All tensors that training changes. They are read when they are written to disk: begin no step until then. */
  snapshot(): Map<string, StateSource>;
  /** Restores a snapshot, taken after `step` steps. @throws {TypeError} If it is of another model. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void;
}

/** Options of {@linkcode FinetuneTrainer}. */
export interface FinetuneTrainerOptions extends ParameterGroupOptions, TrainStepOptions {}

/**
 * Fine-tunes all weights of a model, or all but those of the feature encoder.
 *
 * @example
 * ```ts ignore
 * using trainer = new FinetuneTrainer(new SpeechModel(gpu, checkpoint), { lr: 1e-4 });
 * const { loss } = await trainer.step(batches, { seed: 1, step: 0, lrScale: 1, maxGradNorm: 5 });
 * ```
 */
export class FinetuneTrainer implements Trainer {
  /** The model, which is disposed with the trainer. */
  readonly model: SpeechModel;
  readonly #optimizer: AdamW;
  readonly #trainStep: TrainStep;

  /** @param model Model to train; the trainer disposes it. @param options Learning rate and more. */
  constructor(model: SpeechModel, options: FinetuneTrainerOptions) {
    this.model = model;
    this.#optimizer = new AdamW(parameterGroups(model, options));
    this.#trainStep = new TrainStep(model, this.#optimizer, options);
  }

  /** Records a step; nothing waits. */
  step(batches: readonly MicroBatch[], options: TrainerStepOptions): Promise<StepRecord> {
    return this.#trainStep.run(batches, options);
  }

  /** Evaluates the model. */
  evaluate(batches: AsyncIterable<MicroBatch>, options: EvaluateBatchesOptions): Promise<BatchScores> {
    return evaluateBatches(this.model, batches, options);
  }

  /** Weights and Adam moments, see {@linkcode takeSnapshot}. */
  snapshot(): Map<string, StateSource> {
    return takeSnapshot(this.model, this.#optimizer);
  }

  /** Restores weights and Adam moments. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void {
    restoreSnapshot(this.model, this.#optimizer, tensors);
    this.#optimizer.steps = step;
  }

  /** Frees the memory of model and optimizer. */
  dispose(): void {
    this.#trainStep.dispose();
    this.#optimizer.dispose();
    this.model.dispose();
    this.model.gpu.trim();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
