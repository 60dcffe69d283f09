import type { FloatType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { Gates } from "./gates.ts";
import type { Weights } from "./weights.ts";

/** What the random draws of a training step depend on. */
export interface Training {
  /** Seed of the run. */
  readonly seed: number;
  /** Step number. */
  readonly step: number;
  /** Frames to replace by the mask embedding: i32 of 0 and 1, [B, T]; default: none. */
  readonly masked?: Tensor | null;
}

/** State shared by the layers during one forward pass. */
export interface ForwardContext {
  /** Architecture. */
  readonly config: ModelConfig;
  /** Weights. */
  readonly weights: Weights;
  /** Gates of the units; null if all are open. */
  readonly gates: Gates | null;
  /** For each convolution, [C] with values above 0 for the open channels; null if all are open. */
  readonly openChannels: readonly (Tensor | null)[];
  /** Weight 1 and bias 0, [d], for layer norms that have no weights; null if the model has none of these. */
  readonly plainNorm: { readonly w: Tensor; readonly b: Tensor } | null;
  /** Valid frames of each utterance; null if padding is not masked. */
  readonly frameLengths: readonly number[] | null;
  /** Frames of each utterance that the group norm averages over; null if it includes padding, as published models do. */
  readonly normLengths: readonly number[] | null;
  /** Receives the input of the first layer and the output of each, the last one after the final norm; null if not needed. */
  readonly hiddenState: ((x: Tensor) => void) | null;
  /** Type of activations that only a GEMM reads: f16 if the weights are f16. */
  readonly activationDtype: FloatType;
  /** Settings of the training step; null in evaluation, which has no dropout. */
  readonly training: Training | null;
  /** Whether the activation of this name is observed. */
  observes(name: string): boolean;
  /** Passes an activation to the observer, named after the block that made it. */
  observe(name: string, x: Tensor): void;
  /** Applies `fn`. Outside of training, frees the intermediate tensors and `x`. */
  applyAndFree(x: Tensor, fn: (x: Tensor) => Tensor): Tensor;
  /**
   * Applies a layer with gradient checkpointing, if it is enabled: intermediate tensors are freed, and computed again in the
   * backward pass.
   *
   * @param x Input of the layer.
   * @param fn The layer; calls `applyAndFree` for each step.
   * @param shared Tensors it reads besides `x`, weights and gates.
   */
  checkpoint(x: Tensor, fn: (x: Tensor) => Tensor, shared?: readonly Tensor[]): Tensor;
}
