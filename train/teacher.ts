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
  /** Share of the divergence in the loss, 0 to 1; the rest is the task's. */
  readonly share: number;
  /** What scores are divided by before the softmax, of both models: above 1 what is unlikely counts more; 2 unless given. */
  readonly temperature?: number;
  /** Bytes of device memory for answers that will be asked for again; 256 MiB unless given. */
  readonly cacheBytes?: number;
}

/**
 * A model to learn from beside the texts or classes: knowledge distillation (Hinton et al. 2015, arXiv 1503.02531). It
 * hears every clip as if it were alone, without padding, masks and dropout, and its answers to clips that come again are
 * kept, what came first staying: they are those of the clip, to the bit, whatever batch it was heard in. A clip changed by noise
 * does not come again; batches with one are heard as they are padded.
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
  /** Log-probabilities by clip, [T, V] or [labels]. */
  readonly #answers = new Map<string, Tensor>();
  #left: number;

  /** @param model What teaches, the teacher's from now on; with the head and frames of the one that learns. @param options Its share in the loss. */
  constructor(model: SpeechModel, { share, temperature = 2, cacheBytes = 2 ** 28 }: TeacherOptions) {
    this.#model = model;
    this.#share = share;
    this.#temperature = temperature;
    this.#left = cacheBytes;
  }

  /**
   * What to learn from: the loss of the task, averaged with how far a model is from its teacher, the Kullback–Leibler
   * divergence of their distributions. With a CTC head that is summed over each clip's own frames and divided by its
   * tokens, as the CTC loss is. Call it inside {@linkcode Gpu.scope}.
   *
   * @param task Loss of the task, [], by the same reduction.
   * @param batch Clips.
   * @param output What the model that learns made of them.
   * @param reduction Mean over the clips, or their sum.
   * @returns []
   */
  loss(
    task: Tensor,
    batch: MicroBatch,
    { logits, frames }: BatchOutput,
    reduction: "mean" | "sum",
  ): Tensor {
    const { gpu, head } = this.#model;
    const shape = logits.shape.slice(0, -1);
    const [clips, rows = 1] = shape as [number, number?];
    const weights = new Float32Array(clips * rows);
    frames.forEach((own, clip) => {
      const tokens = head === "ctc" ? Math.max(1, batch.targets[clip]!.length) : 1;
      const share = this.#share / tokens / (reduction === "mean" ? clips : 1);
      weights.fill(share, clip * rows, clip * rows + (head === "ctc" ? own : 1));
    });
    const target = noGrad(gpu, () => this.#answer(batch, logits.shape));
    const divergence = sum(klDivergence(this.#soften(logits), target, gpu.tensor(weights, shape)));
    return add(scale(task, 1 - this.#share), divergence);
  }

  /** Log-probabilities of a batch; those of padding are whatever. */
  #answer(batch: MicroBatch, shape: readonly number[]): Tensor {
    const { keys } = batch;
    if (!keys || keys.includes(null)) return this.#hear(batch);
    const { gpu } = this.#model;
    const all = gpu.zeros(shape);
    const size = all.size / keys.length;
    const fresh = new Map(this.#hearFresh(batch));
    keys.forEach((key, clip) => {
      const answer = fresh.get(clip) ?? this.#answers.get(key!)!;
      gpu.copy(answer, new Tensor(gpu, all.storage, [answer.size], "f32", all.offset + clip * size));
      if (this.#answers.has(key!) || answer.size * 4 > this.#left) return;
      this.#left -= answer.size * 4;
      this.#answers.set(key!, gpu.keep(answer));
    });
    return all;
  }

  /** The answers to the clips of a batch that are not kept, each of the clip's own frames. */
  #hearFresh(batch: MicroBatch): [number, Tensor][] {
    const clips = batch.keys!.flatMap((key, clip) => this.#answers.has(key!) ? [] : [clip]);
    if (clips.length === 0) return [];
    const { gpu } = this.#model;
    const { logits, frames } = batchInvariant(gpu, () => {
      return forwardBatch(this.#model, selectClips(batch, clips), { alone: true });
    });
    const heard = logSoftmax(this.#soften(logits));
    const size = heard.size / clips.length;
    const width = heard.shape.at(-1)!;
    return clips.map((clip, i) => {
      const shape = heard.shape.length === 3 ? [frames[i]!, width] : [width];
      return [clip, new Tensor(gpu, heard.storage, shape, "f32", heard.offset + i * size)];
    });
  }

  #hear(batch: MicroBatch): Tensor {
    return logSoftmax(this.#soften(forwardBatch(this.#model, batch).logits));
  }

  #soften(logits: Tensor): Tensor {
    return scale(logits, 1 / this.#temperature);
  }

  /** Gives the memory of model and answers back. */
  dispose(): void {
    for (const answer of this.#answers.values()) answer.dispose();
    this.#answers.clear();
    this.#model.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

const total = (lengths: readonly number[]) => lengths.reduce((sum, n) => sum + n, 0);

/** Some clips of a batch, padded to the longest of them. */
function selectClips(batch: MicroBatch, clips: readonly number[]): MicroBatch {
  const of = <T>(values: readonly T[]) => clips.map((clip) => values[clip]!);
  const lengths = of(batch.lengths);
  const samples = Math.max(...lengths);
  const inputValues = new Float32Array(clips.length * samples);
  clips.forEach((clip, i) => {
    const start = clip * batch.samples;
    inputValues.set(batch.inputValues.subarray(start, start + batch.lengths[clip]!), i * samples);
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
