import { gatherRows } from "../kernels/gather_rows.ts";
import { linear } from "../kernels/linear.ts";
import { positionGate } from "../kernels/position_gate.ts";
import { relativeBias } from "../kernels/relative_bias.ts";
import { reshape } from "../kernels/reshape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { headSizeOf } from "./config.ts";
import type { ForwardContext } from "./forward_context.ts";
import { relativeBuckets } from "./relative_buckets.ts";

/** The gated relative position bias of WavLM (arXiv 2110.13900). */
export interface PositionBias {
  /** Bias of the attention scores of a layer, padded as `attention` takes it, computed from the input of its attention, [B, T, d]. */
  of(layer: number, x: Tensor): Tensor;
  /** Tensors that all layers read, besides weights. */
  readonly shared: readonly Tensor[];
}

/**
 * The position bias of all layers. Embeddings of relative positions are shared and belong to layer 0; each layer has its own
 * gates. A gate is computed from the slice of the attention input that belongs to a head of the dense model, so a pruned
 * layer selects the gates of its remaining heads.
 *
 * @param context The forward context.
 * @param frames Number of frames T.
 */
export function positionBias(context: ForwardContext, frames: number): PositionBias {
  const { config, weights } = context;
  const buckets = relativeBuckets(frames, config.num_buckets, config.max_bucket_distance);
  const table = weights.get("encoder.layers.0.attention.rel_attn_embed.weight");
  const offsets = gatherRows(table, buckets); // [2T − 1, H]
  const all = table.shape[1]!;
  return {
    shared: [offsets],
    of(layer, x) {
      const name = `encoder.layers.${layer}.attention`;
      const [batch, t] = x.shape as [number, number];
      const { w, b } = weights.layer(`${name}.gru_rel_pos_linear`);
      const u = linear(reshape(x, [batch, t, all, headSizeOf(config)]), w, b);
      const g = positionGate(u, weights.get(`${name}.gru_rel_pos_const`));
      const heads = config.remaining_heads?.[layer];
      return relativeBias(g, offsets, heads ? { heads } : {});
    },
  };
}
