import { add } from "../kernels/add.ts";
import { batchInvariant } from "../kernels/gemm/policy.ts";
import { klDivergence } from "../kernels/kl_divergence.ts";
import { logSoftmax } from "../kernels/log_softmax.ts";
import { scale } from "../kernels/scale.ts";
import { sum } from "../kernels/sum.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { noGrad } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { MicroBatch } from "./micro_batch.ts";
import { type BatchOutput, forwardBatch } from "./task_loss.ts";

/** Options of {@linkcode Teacher}. */
export interface TeacherOptions {
  /** Weight of the distillation loss, 0 to 1; the task loss has the rest. */
  readonly share: number;
  /** Temperature of both softmaxes: the higher, the more unlikely tokens count; default: 2. */
  readonly temperature?: number;
  /** Bytes of device memory for cached targets; default: 256 MiB. */
  readonly cacheBytes?: number;
}

/**
 * Teacher for knowledge distillation (Hinton et al. 2015, arXiv 1503.02531). Its targets, the log-probabilities of an
 * utterance, are computed without dropout, SpecAugment and the influence of padding, and cached for utterances that come
 * again. They have the same bits in whatever batch an utterance was first seen. An utterance with noise does not come
 * again: the teacher runs batches with one as they are padded.
 *
 * @example
 * ```ts ignore
 * using teacher = new Teacher(new SpeechModel(gpu, dense), { share: 0.9 });
 * using trainer = new FinetuneTrainer(new SpeechModel(gpu, compact), { lr: 1e-4, teacher });
 * ```
 */
export class Teacher {
  readonly #model: SpeechModel;
  readonly #share: number;
  readonly #temperature: number;
  /** Log-probabilities by key of the utterance, [T, V] or [labels]. */
  readonly #cache = new Map<string, Tensor>();
  #cacheBytesLeft: number;

  /**
   * Takes a model as teacher.
   *
   * @param model Model with the student's head and frame rate; the teacher disposes it.
   * @param options Weight of the distillation loss, and more.
   */
  constructor(model: SpeechModel, { share, temperature = 2, cacheBytes = 2 ** 28 }: TeacherOptions) {
    this.#model = model;
    this.#share = share;
    this.#temperature = temperature;
    this.#cacheBytesLeft = cacheBytes;
  }

  /**
   * Loss of a student: (1 − share) · task loss + share · Kullback–Leibler divergence from the teacher, the mean over the
   * utterances. With a CTC head the divergence is summed over the frames of an utterance and divided by its number of
   * tokens, as the CTC loss is. Call it inside {@linkcode Gpu.scope}.
   *
   * @param task Task loss, [], the mean over the utterances.
   * @param batch Utterances.
   * @param output Output of the student.
   * @returns []
   */
  loss(task: Tensor, batch: MicroBatch, { logits, frames }: BatchOutput): Tensor {
    const { gpu, head } = this.#model;
    const shape = logits.shape.slice(0, -1);
    const [utterances, rows = 1] = shape as [number, number?];
    const weights = new Float32Array(utterances * rows);
    frames.forEach((count, i) => {
      const tokens = head === "ctc" ? Math.max(1, batch.targets[i]!.length) : 1;
      weights.fill(this.#share / tokens / utterances, i * rows, i * rows + (head === "ctc" ? count : 1));
    });
    const target = noGrad(gpu, () => this.#targets(batch, logits.shape));
    const divergence = sum(klDivergence(this.#soften(logits), target, gpu.tensor(weights, shape)));
    return add(scale(task, 1 - this.#share), divergence);
  }

  /** Log-probabilities of a batch, in the shape of the logits; those of padding have weight 0. */
  #targets(batch: MicroBatch, shape: readonly number[]): Tensor {
    const { keys } = batch;
    if (!keys || keys.includes(null)) {
      return logSoftmax(this.#soften(forwardBatch(this.#model, batch).logits));
    }
    const { gpu } = this.#model;
    const targets = gpu.zeros(shape);
    const size = targets.size / keys.length;
    const computed = new Map(this.#uncachedTargets(batch));
    keys.forEach((key, i) => {
      const target = computed.get(i) ?? this.#cache.get(key!)!;
      gpu.copy(target, new Tensor(gpu, targets.storage, [target.size], "f32", targets.offset + i * size));
      if (this.#cache.has(key!) || target.size * 4 > this.#cacheBytesLeft) return;
      this.#cacheBytesLeft -= target.size * 4;
      this.#cache.set(key!, gpu.keep(target));
    });
    return targets;
  }

  /** Targets of the utterances of a batch that are not cached, by index, without padding. */
  #uncachedTargets(batch: MicroBatch): [number, Tensor][] {
    const indices = batch.keys!.flatMap((key, i) => this.#cache.has(key!) ? [] : [i]);
    if (indices.length === 0) return [];
    const { gpu } = this.#model;
    const { logits, frames } = batchInvariant(gpu, () => {
      return forwardBatch(this.#model, selectUtterances(batch, indices), { paddingInvariant: true });
    });
    const targets = logSoftmax(this.#soften(logits));
    const size = targets.size / indices.length;
    const width = targets.shape.at(-1)!;
    return indices.map((index, i) => {
      const shape = targets.shape.length === 3 ? [frames[i]!, width] : [width];
      return [index, new Tensor(gpu, targets.storage, shape, "f32", targets.offset + i * size)];
    });
  }

  #soften(logits: Tensor): Tensor {
    return scale(logits, 1 / this.#temperature);
  }

  /** Frees the memory of model and cache. */
  dispose(): void {
    for (const target of this.#cache.values()) target.dispose();
    this.#cache.clear();
    this.#model.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

const total = (lengths: readonly number[]) => lengths.reduce((sum, n) => sum + n, 0);

/** Some utterances of a batch, padded to the longest of them. */
function selectUtterances(batch: MicroBatch, indices: readonly number[]): MicroBatch {
  const of = <T>(values: readonly T[]) => indices.map((index) => values[index]!);
  const lengths = of(batch.lengths);
  const samples = Math.max(...lengths);
  const inputValues = new Float32Array(indices.length * samples);
  indices.forEach((index, i) => {
    const start = index * batch.samples;
    inputValues.set(batch.inputValues.subarray(start, start + batch.lengths[index]!), i * samples);
  });
  return {
    inputValues,
    samples,
    lengths,
    targets: of(batch.targets),
    references: of(batch.references),
    attentionMask: batch.attentionMask,
    masked: null,
    seconds: batch.seconds * total(lengths) / total(batch.lengths),
  };
}
