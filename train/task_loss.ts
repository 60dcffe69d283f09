import { crossEntropy } from "../kernels/cross_entropy.ts";
import type { Reduction } from "../kernels/internal/reduce_losses.ts";
import { ctc } from "../kernels/ctc.ts";
import type { Training } from "../model/forward_context.ts";
import type { Gates } from "../model/gates.ts";
import { framesOf, type SpeechModel } from "../model/speech_model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MicroBatch } from "./micro_batch.ts";

/** How {@linkcode forwardBatch} runs. */
export interface ForwardBatchOptions {
  /** Gates of the units; all open unless given. */
  readonly gates?: Gates | null;
  /** What a training step draws; nothing unless given. */
  readonly training?: Omit<Training, "masked"> | null;
  /** Whether each clip is heard as if it were alone, whatever the model was trained with; false unless given. */
  readonly alone?: boolean;
  /** Whether gradients compute the inside of every layer again instead of keeping it. */
  readonly gradCheckpoint?: boolean;
}

/** What the model makes of a micro-batch. */
export interface BatchOutput {
  /** Per frame [B, T, V] with a CTC head, per clip [B, labels] with a classification head. */
  readonly logits: Tensor;
  /** Frames of each clip, of its own samples, whatever is padding. */
  readonly frames: readonly number[];
}

/**
 * Runs the model on a micro-batch. Call it inside {@linkcode Gpu.scope}.
 *
 * @throws {TypeError} If the model has no head.
 * @throws {RangeError} If a clip is too short for one frame.
 */
export function forwardBatch(
  model: SpeechModel,
  batch: MicroBatch,
  { gates = null, training = null, alone = false, gradCheckpoint = false }: ForwardBatchOptions = {},
): BatchOutput {
  const { gpu, config } = model;
  const clips = batch.lengths.length;
  const samples = gpu.tensor(batch.inputValues, [clips, batch.samples]);
  const frames = batch.lengths.map((length) => framesOf(config, length));
  const masked = training && batch.masked
    ? gpu.tensor(batch.masked, [clips, framesOf(config, batch.samples)])
    : null;
  const { logits } = model.forward(
    { samples, lengths: alone || batch.attentionMask ? batch.lengths : null },
    { gates, training: training && { ...training, masked }, paddingInvariant: alone, gradCheckpoint },
  );
  if (!logits) throw new TypeError("Cannot train as the model must have a head: it has none");
  return { logits, frames };
}

/**
 * The task's loss: CTC over each clip's own frames with a CTC head, where clips whose text does not fit into their
 * frames count as 0; cross-entropy of the classes with a classification head.
 *
 * @returns [] or, for the reduction "none", [B].
 * @throws {RangeError} If a target is no token or class of the model.
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
