import { add } from "../kernels/add.ts";
import { scale } from "../kernels/scale.ts";
import { sum } from "../kernels/sum.ts";
import type { Gates } from "../model/gates.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { firstOf, type GradientSink } from "../tensor/gradient_sink.ts";
import { backward } from "../tensor/backward.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { MicroBatch } from "./micro_batch.ts";
import type { AdamW, AdamWStep } from "./optimizer.ts";
import { forwardBatch, taskLoss } from "./task_loss.ts";
import type { Teacher } from "./teacher.ts";

/** What {@linkcode TrainStep.accumulate} works with. */
export interface AccumulateOptions {
  /** Seed of dropout and layer drop. */
  readonly seed: number;
  /** Number of the step, from 0. */
  readonly step: number;
  /** Gates of the units; all open unless given. */
  readonly gates?: Gates | null;
  /** "mean" over the clips of the step, or their "sum"; "mean" unless given. */
  readonly reduction?: "mean" | "sum";
  /** Model to run in its place, made of its weights on the tape; it is called for each micro-batch. */
  readonly view?: (model: SpeechModel) => SpeechModel;
  /** Makes the sink of a micro-batch for gradients of other tensors than weights, which are scaled by its share. */
  readonly sink?: () => GradientSink;
}

/** How a {@linkcode TrainStep} works. */
export interface TrainStepOptions {
  /** What the model learns from beside the targets; it stays the caller's. */
  readonly teacher?: Teacher | null;
  /** Whether gradients compute the inside of every layer again instead of keeping it: less memory, more time. */
  readonly gradCheckpoint?: boolean;
}

/** What a step found. */
export interface StepResult {
  /** Task loss over the step's clips. */
  readonly loss: number;
  /** Norm over all gradients of weights before clipping. */
  readonly gradNorm: number;
}

/** Steps of other micro-batches draw other numbers: an odd constant, as Weyl sequences have. */
const PART_SEED = 0x9e3779b9;

/**
 * Training steps on the device: losses and gradients of micro-batches that add up to those of all their clips at
 * once, then AdamW with clipping. Nothing waits: a step's numbers come back as a promise.
 *
 * A step whose loss or gradient is not finite changes nothing, and neither do those after it, until
 * {@linkcode TrainStep.clear}: whoever learns of it some steps later finds the weights of the last good step.
 *
 * @example
 * ```ts ignore
 * using trainer = new TrainStep(model, new AdamW([{ params: model.weights.require(), lr: 1e-3 }]));
 * let before: Promise<StepResult> | null = null;
 * for (let step = 0; step < 100; step++) {
 *   const result = trainer.run(batches, { seed: 1, step, maxGradNorm: 1 });
 *   console.log(await before); // of the step before: the device has work meanwhile
 *   before = result;
 * }
 * ```
 */
export class TrainStep {
  readonly #model: SpeechModel;
  readonly #optimizer: AdamW;
  readonly #options: TrainStepOptions;
  /** Loss and norm of the step before, [2]. */
  readonly #report: Tensor;
  /** Loss of this step so far, []. */
  readonly #loss: Tensor;

  /**
   * Keeps two small tensors.
   *
   * @param model What learns.
   * @param optimizer Over its weights; it stays the caller's.
   * @param options What else it learns from, and how memory is saved.
   */
  constructor(model: SpeechModel, optimizer: AdamW, options: TrainStepOptions = {}) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#report = model.gpu.keep(model.gpu.zeros([2]));
    this.#loss = model.gpu.keep(model.gpu.zeros([]));
  }

  /**
   * Adds the gradients of a step's micro-batches.
   *
   * @throws {RangeError} If there is no batch, or one that the model cannot take.
   */
  accumulate(batches: readonly MicroBatch[], options: AccumulateOptions): void {
    const { seed, step, gates = null, reduction = "mean", view = (model) => model, sink } = options;
    const { gpu } = this.#model;
    const { teacher = null, gradCheckpoint = false } = this.#options;
    const clips = batches.reduce((sum, { lengths }) => sum + lengths.length, 0);
    if (clips === 0) throw new RangeError("Cannot train as a step must have clips: it has none");
    batches.forEach((batch, part) => {
      const share = reduction === "mean" ? batch.lengths.length / clips : 1;
      const training = { seed: (seed + part * PART_SEED) >>> 0, step };
      gpu.scope(() => {
        // 0 after a good step, else not a number, which no optimizer steps by.
        const health = scale(sum(this.#report), 0);
        const model = view(this.#model);
        const output = forwardBatch(model, batch, { gates, training, gradCheckpoint });
        const task = taskLoss(model, output, batch.targets, reduction);
        const loss = teacher ? teacher.loss(task, batch, output, reduction) : task;
        backward(loss, {
          seed: add(gpu.tensor([share], []), health),
          sink: sink ? firstOf(this.#optimizer, sink()) : this.#optimizer,
        });
        const weighted = scale(loss, share);
        gpu.copy(part === 0 ? weighted : add(this.#loss, weighted), this.#loss);
      });
      // The device begins while the next part is being recorded; the last one goes with what follows it.
      if (part < batches.length - 1) gpu.flush();
    });
  }

  /**
   * Loss and norm of what was accumulated, before {@linkcode TrainStep.finish}; for who decides by them how to go on.
   *
   * @throws {RangeError} If nothing was accumulated.
   */
  async measure(): Promise<StepResult> {
    const [[loss], gradNorm] = await Promise.all([this.#loss.read(), this.#optimizer.norm()]);
    return { loss: loss!, gradNorm };
  }

  /**
   * Updates the weights by what was accumulated. If loss or norm is not finite, nothing changes.
   *
   * @throws {RangeError} If nothing was accumulated.
   */
  finish(options: AdamWStep = {}): void {
    const { gpu } = this.#model;
    this.#optimizer.step(options);
    [this.#loss, this.#optimizer.gradNorm].forEach((from, i) => {
      using place = gpu.keep(new Tensor(gpu, this.#report.storage, [], "f32", i));
      gpu.copy(from, place);
    });
  }

  /**
   * A whole step: {@linkcode TrainStep.accumulate}, then {@linkcode TrainStep.finish}.
   *
   * @returns Loss and norm, once the device is through.
   */
  run(batches: readonly MicroBatch[], options: AccumulateOptions & AdamWStep): Promise<StepResult> {
    this.accumulate(batches, options);
    this.finish(options);
    return this.#report.read().then(([loss, gradNorm]) => ({ loss: loss!, gradNorm: gradNorm! }));
  }

  /** Lets steps change weights again after one that was not finite. */
  clear(): void {
    using zeros = this.#model.gpu.zeros([2]);
    this.#model.gpu.copy(zeros, this.#report);
  }

  /** Gives its memory back. */
  dispose(): void {
    this.#report.dispose();
    this.#loss.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
