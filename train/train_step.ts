import { type Communicator, isShareOf } from "../comm/communicator.ts";
import { add } from "../kernels/add.ts";
import { scale } from "../kernels/scale.ts";
import type { Gates } from "../model/gates.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { firstOf, type GradientSink } from "../tensor/gradient_sink.ts";
import { backward } from "../tensor/backward.ts";
import { Tensor } from "../tensor/tensor.ts";
import { lossGradient, type StepResult } from "./finite_step.ts";
import { GradientExchange } from "./gradient_exchange.ts";
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
  /** Processes that share the micro-batches of a step; default: this one computes all. */
  readonly comm?: Communicator | null;
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
  readonly #exchange: GradientExchange | null;
  /** Step begun last, with several processes: the next one needs its weights. */
  #last: Promise<unknown> = Promise.resolve();

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
    this.#exchange = options.comm ? new GradientExchange(options.comm, optimizer) : null;
  }

  /**
   * Runs the forward and backward passes of a step's micro-batches, or of those of this process, and adds up their gradients.
   *
   * @throws {RangeError} If there is no utterance, or the model cannot take one.
   */
  accumulate(batches: readonly MicroBatch[], options: AccumulateOptions): void {
    const { comm = null } = this.#options;
    const utterances = batches.reduce((sum, { lengths }) => sum + lengths.length, 0);
    if (utterances === 0) throw new RangeError("Cannot train as a step must have utterances: it has none");
    const own = batches.flatMap((_, i) => !comm || isShareOf(comm, i) ? [i] : []);
    if (own.length === 0) {
      throw new RangeError(
        `Cannot train as rank ${comm!.rank} must have a micro-batch: the step has ${batches.length}`,
      );
    }
    for (const i of own) {
      if (i === own.at(-1)) this.#exchange?.begin();
      this.#backward(batches[i]!, { i, isFirst: i === own[0], utterances, ...options });
      // The device starts while the next micro-batch is recorded; the last one is submitted with what follows it.
      if (i !== own.at(-1)) this.#model.gpu.flush();
    }
  }

  /** Forward and backward pass of micro-batch `i` of a step of so many utterances. */
  #backward(
    batch: MicroBatch,
    options: AccumulateOptions & { i: number; isFirst: boolean; utterances: number },
  ) {
    const { i, isFirst, utterances, seed, step, gates = null, view = (model) => model, sink } = options;
    const { gpu } = this.#model;
    const { teacher = null, gradCheckpoint = false } = this.#options;
    const share = batch.lengths.length / utterances;
    const training = { seed: (seed + i * MICRO_BATCH_SEED) >>> 0, step };
    gpu.scope(() => {
      const model = view(this.#model);
      const output = forwardBatch(model, batch, { gates, training, gradCheckpoint });
      const task = taskLoss(model, output, batch.targets, "mean");
      const loss = teacher ? teacher.loss(task, batch, output) : task;
      const sinks = [this.#optimizer, ...sink ? [sink()] : []];
      const all = sinks.length > 1 ? firstOf(...sinks) : this.#optimizer;
      const exchange = this.#exchange;
      backward(loss, {
        gradient: lossGradient(share, loss, this.#results),
        sink: exchange
          ? { slot: (x) => all.slot(x), take: (x, part) => all.take(x, part), done: (x) => exchange.done(x) }
          : all,
      });
      const weighted = scale(loss, share);
      gpu.copy(isFirst ? weighted : add(this.#loss, weighted), this.#loss);
    });
  }

  /**
   * Waits until loss and gradients are the sums over all processes; there must be several.
   *
   * @throws {Error} If a process has failed.
   */
  async exchange(): Promise<void> {
    const comm = this.#options.comm!;
    const { gpu } = this.#model;
    const local = this.#loss.read() as Promise<Float32Array<ArrayBuffer>>;
    await this.#exchange!.finish();
    const loss = await local;
    await comm.allReduce(loss, "sum");
    using sum = gpu.keep(gpu.tensor(loss, []));
    gpu.copy(sum, this.#loss);
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
    const finish = () => {
      this.update(options);
      return this.#results.read().then(([loss, gradNorm]) => ({ loss: loss!, gradNorm: gradNorm! }));
    };
    if (!this.#exchange) {
      this.accumulate(batches, options);
      return finish();
    }
    const result = this.#last.then(() => {
      this.accumulate(batches, options);
      return this.exchange();
    }).then(finish);
    this.#last = result.catch(() => {});
    return result;
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
