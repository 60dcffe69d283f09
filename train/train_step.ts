import { add } from "../kernels/add.ts";
import { scale } from "../kernels/scale.ts";
import type { Gates } from "../model/gates.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { firstOf, type GradientSink } from "../tensor/gradient_sink.ts";
import { backward } from "../tensor/backward.ts";
import { Tensor } from "../tensor/tensor.ts";
import { gradientSeed, type StepResult } from "./finite_step.ts";
import type { MicroBatch } from "./micro_batch.ts";
import type { AdamWStepOptions } from "./adamw_options.ts";
import type { AdamW } from "./optimizer.ts";
import { forwardBatch, taskLoss } from "./task_loss.ts";
import type { Teacher } from "./teacher.ts";

/** Options of {@linkcode TrainStep.accumulate}. */
export interface AccumulateOptions {
  /** Seed of dropout and layer drop. */
  readonly seed: number;
  /** Index of the step, from 0. */
  readonly step: number;
  /** Gates of the units; default: all open. */
  readonly gates?: Gates | null;
  /** Returns the model to run for a micro-batch, derived from the trained one on the tape; default: the trained model. */
  readonly view?: (model: SpeechModel) => SpeechModel;
  /** Returns a sink for a micro-batch that takes the gradients of other tensors than weights. */
  readonly sink?: () => GradientSink;
}

/** Options of {@linkcode TrainStep}. */
export interface TrainStepOptions {
  /** Teacher for knowledge distillation; the caller disposes it. */
  readonly teacher?: Teacher | null;
  /** Gradient checkpointing: layers are computed again in the backward pass, which takes less memory and more time. */
  readonly gradCheckpoint?: boolean;
}

/** Added to the seed per micro-batch, so that each has random numbers of its own; odd, as in a Weyl sequence. */
const MICRO_BATCH_SEED = 0x9e3779b9;

/**
 * A training step on the device: the losses and gradients of micro-batches add up to those of all their utterances, then
 * AdamW updates the weights with gradient clipping. Nothing waits: the results of a step are a promise.
 *
 * A step whose loss or gradient is not finite changes nothing, and neither do those after it: see `finite_step.ts`.
 *
 * @example
 * ```ts ignore
 * using trainStep = new TrainStep(model, new AdamW([{ params: model.weights.require(), lr: 1e-3 }]));
 * let before: Promise<StepResult> | null = null;
 * for (let step = 0; step < 100; step++) {
 *   const result = trainStep.run(batches, { seed: 1, step, maxGradNorm: 1 });
 *   console.log(await before); // of the previous step, while the device computes this one
 *   before = result;
 * }
 * ```
 */
export class TrainStep {
  readonly #model: SpeechModel;
  readonly #optimizer: AdamW;
  readonly #options: TrainStepOptions;
  /** Loss and gradient norm of the last step, [2]. */
  readonly #results: Tensor;
  /** Loss of this step so far, []. */
  readonly #loss: Tensor;

  /**
   * Allocates two small tensors.
   *
   * @param model Model to train.
   * @param optimizer Optimizer of its weights; the caller disposes it.
   * @param options Teacher and gradient checkpointing.
   */
  constructor(model: SpeechModel, optimizer: AdamW, options: TrainStepOptions = {}) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#results = model.gpu.keep(model.gpu.zeros([2]));
    this.#loss = model.gpu.keep(model.gpu.zeros([]));
  }

  /**
   * Runs the forward and backward passes of a step's micro-batches and adds up their gradients.
   *
   * @throws {RangeError} If there is no utterance, or the model cannot take one.
   */
  accumulate(batches: readonly MicroBatch[], options: AccumulateOptions): void {
    const { seed, step, gates = null, view = (model) => model, sink } = options;
    const { gpu } = this.#model;
    const { teacher = null, gradCheckpoint = false } = this.#options;
    const utterances = batches.reduce((sum, { lengths }) => sum + lengths.length, 0);
    if (utterances === 0) throw new RangeError("Cannot train as a step must have utterances: it has none");
    batches.forEach((batch, i) => {
      const share = batch.lengths.length / utterances;
      const training = { seed: (seed + i * MICRO_BATCH_SEED) >>> 0, step };
      gpu.scope(() => {
        const model = view(this.#model);
        const output = forwardBatch(model, batch, { gates, training, gradCheckpoint });
        const task = taskLoss(model, output, batch.targets, "mean");
        const loss = teacher ? teacher.loss(task, batch, output) : task;
        backward(loss, {
          seed: gradientSeed(share, loss, this.#results),
          sink: sink ? firstOf(this.#optimizer, sink()) : this.#optimizer,
        });
        const weighted = scale(loss, share);
        gpu.copy(i === 0 ? weighted : add(this.#loss, weighted), this.#loss);
      });
      // The device starts while the next micro-batch is recorded; the last one is submitted with what follows it.
      if (i < batches.length - 1) gpu.flush();
    });
  }

  /**
   * Loss and gradient norm of what was accumulated, before {@linkcode TrainStep.update}.
   *
   * @throws {RangeError} If nothing was accumulated.
   */
  async measure(): Promise<StepResult> {
    const [[loss], gradNorm] = await Promise.all([this.#loss.read(), this.#optimizer.norm()]);
    return { loss: loss!, gradNorm };
  }

  /**
   * Updates the weights with the accumulated gradients.
   *
   * @throws {RangeError} If nothing was accumulated.
   */
  update(options: AdamWStepOptions = {}): void {
    const { gpu } = this.#model;
    this.#optimizer.step(options);
    [this.#loss, this.#optimizer.gradNorm].forEach((from, i) => {
      using slot = gpu.keep(new Tensor(gpu, this.#results.storage, [], "f32", i));
      gpu.copy(from, slot);
    });
  }

  /**
   * A whole step: {@linkcode TrainStep.accumulate}, then {@linkcode TrainStep.update}.
   *
   * @returns Loss and gradient norm, once the device has computed them.
   */
  run(batches: readonly MicroBatch[], options: AccumulateOptions & AdamWStepOptions): Promise<StepResult> {
    this.accumulate(batches, options);
    this.update(options);
    return this.#results.read().then(([loss, gradNorm]) => ({ loss: loss!, gradNorm: gradNorm! }));
  }

  /** Frees its memory. */
  dispose(): void {
    this.#results.dispose();
    this.#loss.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
