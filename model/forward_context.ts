import type { FloatType, Tensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { Gates } from "./gates.ts";
import type { Weights } from "./weights.ts";

/** What a training step draws, and from which generator. */
export interface Training {
  /** Seed of the run. */
  readonly seed: number;
  /** Number of the step. */
  readonly step: number;
  /** Frames whose features the mask embedding replaces, i32 of 0 and 1, [B, T]; none unless given. */
  readonly masked?: Tensor | null;
}

/** What one forward pass works with. */
export interface ForwardContext {
  /** Architecture. */
  readonly config: ModelConfig;
  /** Weights. */
  readonly weights: Weights;
  /** Gates of the units; null where all are open. */
  readonly gates: Gates | null;
  /** Of each convolution the channels that are open, those above 0, [C]; null where all are. */
  readonly open: readonly (Tensor | null)[];
  /** Valid frames of each clip; null where padding is not masked. */
  readonly frameLengths: readonly number[] | null;
  /** Frames of each clip that a norm over time counts; null where it counts padding, as published models do. */
  readonly normLengths: readonly number[] | null;
  /** Type of what goes from one product to the next and nowhere else: f16 where the weights are. */
  readonly between: FloatType;
  /** What a training step draws; null in evaluation, where nothing is dropped. */
  readonly training: Training | null;
  /** Whether somebody wants to see an activation. */
  observes(name: string): boolean;
  /** Shows an activation to whoever asked for it, under the name of the block that made it. */
  observe(name: string, x: Tensor): void;
  /** Applies `fn` and, where no gradient will be wanted, gives the memory of `x` back. */
  applyAndFree(x: Tensor, fn: (x: Tensor) => Tensor): Tensor;
  /**
   * Applies a layer, whose intermediate tensors are computed again for its gradients if memory is to be saved.
   *
   * @param x Input of the layer.
   * @param fn The layer, of one `next` or more.
   * @param shared What it reads beside weights and gates.
   */
  checkpoint(x: Tensor, fn: (x: Tensor) => Tensor, shared?: readonly Tensor[]): Tensor;
}
