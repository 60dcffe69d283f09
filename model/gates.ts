import type { Tensor } from "../tensor/tensor.ts";

/**
 * Gates of a model's units, from 0 (closed) to 1 (open); null where all units of a layer are open. They sit where
 * pruning cuts: a convolution's on its output after norm and GELU, the last one's after the norm of the feature
 * projection; a head's on its context; a feed-forward unit's after GELU.
 */
export interface Gates {
  /** Per convolution layer, [C]. */
  readonly conv: readonly (Tensor | null)[];
  /** Per Transformer layer, [H]. */
  readonly heads: readonly (Tensor | null)[];
  /** Per Transformer layer, [F]. */
  readonly ffn: readonly (Tensor | null)[];
}
