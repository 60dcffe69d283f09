import type { Tensor } from "../tensor/tensor.ts";

/**
 * Gates of a model's units, from 0 (closed) to 1 (open); null for a layer whose units are all open. A gate multiplies the
 * output of a convolution after norm and GELU (for the last convolution: after the norm of the feature projection), the
 * context of an attention head, or a feed-forward unit after GELU.
 */
export interface Gates {
  /** Per convolution layer, [C]. */
  readonly conv: readonly (Tensor | null)[];
  /** Per Transformer layer, [H]. */
  readonly heads: readonly (Tensor | null)[];
  /** Per Transformer layer, [F]. */
  readonly ffn: readonly (Tensor | null)[];
}
