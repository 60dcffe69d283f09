import type { SpeechModel } from "../model/speech_model.ts";
import { AdamW } from "./optimizer.ts";
import { type BatchScores, evaluateBatches, type EvaluateBatchesOptions } from "./evaluate.ts";
import { type ParameterGroupOptions, parameterGroups } from "./groups.ts";
import type { MicroBatch } from "./micro_batch.ts";
import type { StateSource, StateTensor } from "./run_state.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { type StepResult, TrainStep, type TrainStepOptions } from "./train_step.ts";

/** How {@linkcode Trainer.step} steps. */
export interface TrainerStep {
  /** Seed of all that is drawn. */
  readonly seed: number;
  /** Number of the step, from 0. */
  readonly step: number;
  /** Factor of the peak learning rate. */
  readonly lrScale: number;
  /** Norm that gradients are scaled down to. */
  readonly maxGradNorm: number;
}

/** What a step found, with what else it is to be logged and shown with. */
export interface StepRecord extends StepResult {
  /** More numbers for the metrics, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** More for the progress, by name. */
  readonly shown?: Readonly<Record<string, string>>;
}

/** What {@linkcode runLoop} trains: a model and all that changes with it from step to step. */
export interface Trainer extends Disposable {
  /** The model on the device. */
  readonly model: SpeechModel;
  /**
   * Takes a step, after those begun before it. One whose loss or gradient is not finite changes nothing, and neither do
   * those after it.
   */
  step(batches: readonly MicroBatch[], options: TrainerStep): Promise<StepRecord>;
  /** Evaluates the model as it would be handed out now. */
  evaluate(batches: AsyncIterable<MicroBatch>, options: EvaluateBatchesOptions): Promise<BatchScores>;
  /** All that changes, read when it is written: until then no step may be begun. */
  snapshot(): Map<string, StateSource>;
  /** Goes on from a snapshot that was written. @throws {TypeError} If it is of another model. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void;
  /** Counts steps from here again, after one that was not finite. */
  rewind(step: number): void;
}

/** Options of {@linkcode FinetuneTrainer}. */
export interface FinetuneTrainerOptions extends ParameterGroupOptions, TrainStepOptions {}

/**
 * Fine-tuning of all weights of a model, or all but the feature encoder's.
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
  readonly #trainer: TrainStep;

  /** @param model What learns, the trainer's from now on. @param options Rates. */
  constructor(model: SpeechModel, options: FinetuneTrainerOptions) {
    this.model = model;
    this.#optimizer = new AdamW(parameterGroups(model, options));
    this.#trainer = new TrainStep(model, this.#optimizer, options);
  }

  /** Records a step; nothing waits. */
  step(batches: readonly MicroBatch[], options: TrainerStep): Promise<StepRecord> {
    return this.#trainer.run(batches, options);
  }

  /** Evaluates the model. */
  evaluate(batches: AsyncIterable<MicroBatch>, options: EvaluateBatchesOptions): Promise<BatchScores> {
    return evaluateBatches(this.model, batches, options);
  }

  /** Weights and averages, see {@linkcode takeSnapshot}. */
  snapshot(): Map<string, StateSource> {
    return takeSnapshot(this.model, this.#optimizer);
  }

  /** Puts weights and averages back. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void {
    restoreSnapshot(this.model, this.#optimizer, tensors);
    this.#optimizer.steps = step;
  }

  /** Sets the optimizer's count of steps. */
  rewind(step: number): void {
    this.#optimizer.steps = step;
  }

  /** Gives the memory of model and optimizer back. */
  dispose(): void {
    this.#trainer.dispose();
    this.#optimizer.dispose();
    this.model.dispose();
    this.model.gpu.trim();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
