import { crossEntropy } from "../kernels/cross_entropy.ts";
import type { Reduction } from "../kernels/internal/reduce_losses.ts";
import { ctc } from "../kernels/ctc.ts";
import type { Training } from "../model/forward_context.ts";
import type { Gates } from "../model/gates.ts";
import { framesOf, type SpeechModel } from "../model/speech_model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MicroBatch } from "./micro_batch.ts";

/** Options of {@linkcode forwardBatch}. */
export interface ForwardBatchOptions {
  /** Gates of the units; default: all open. */
  readonly gates?: Gates | null;
  /** Seed and step of dropout and layer drop; default: none, as in inference. */
  readonly training?: Omit<Training, "masked"> | null;
  /** Whether the logits of an utterance must not depend on padding, however the model was trained; default: false. */
  readonly paddingInvariant?: boolean;
  /** Gradient checkpointing: layers are computed again in the backward pass. */
  readonly gradCheckpoint?: boolean;
}

/** Output of the model for a micro-batch. */
export interface BatchOutput {
  /** Per frame [B, T, V] with a CTC head, per utterance [B, labels] with a classification head. */
  readonly logits: Tensor;
  /** Frames of each utterance without padding. */
  readonly frames: readonly number[];
}

/**
 * Runs the model on a micro-batch. Call it inside {@linkcode Gpu.scope}.
 *
 * @throws {TypeError} If the model has no head.
 * @throws {RangeError} If an utterance is too short for one frame.
 */
export function forwardBatch(
  model: SpeechModel,
  batch: MicroBatch,
  { gates = null, training = null, paddingInvariant = false, gradCheckpoint = false }: ForwardBatchOptions =
    {},
): BatchOutput {
  const { gpu, config } = model;
  const utterances = batch.lengths.length;
  const samples = gpu.tensor(batch.inputValues, [utterances, batch.samples]);
  const frames = batch.lengths.map((length) => framesOf(config, length));
  const masked = training && batch.masked
    ? gpu.tensor(batch.masked, [utterances, framesOf(config, batch.samples)])
    : null;
  const { logits } = model.forward(
    { samples, lengths: paddingInvariant || batch.attentionMask ? batch.lengths : null },
    { gates, training: training && { ...training, masked }, paddingInvariant, gradCheckpoint },
  );
  if (!logits) throw new TypeError("Cannot train as the model must have a head: it has none");
  return { logits, frames };
}

/**
 * Loss of the task. With a CTC head: CTC loss over the frames of each utterance without padding; an utterance with more
 * tokens than fit into its frames has loss 0. With a classification head: cross-entropy.
 *
 * @returns [], or [B] with reduction "none".
 * @throws {RangeError} If a target is not a token or class of the model.
 */
export function taskLoss(
  model: SpeechModel,
  { logits, frames }: BatchOutput,
  targets: readonly (readonly number[])[],
  reduction: Reduction,
): Tensor {
  if (model.head === "classify") return crossEntropy(logits, targets.map(([label]) => label!), { reduction });
  return ctc(logits, frames, targets, { blank: model.config.pad_token_id, reduction, zeroInfinity: true });
}
