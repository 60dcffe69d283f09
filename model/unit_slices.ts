import type { ModelConfig } from "./config.ts";
import type { UnitCounts } from "./costs.ts";

/** The units of a layer: channels of a convolution, heads or feed-forward units of a Transformer layer. */
export interface LayerUnits {
  /** What they are. */
  readonly kind: keyof UnitCounts;
  /** Convolution or Transformer layer, from 0. */
  readonly layer: number;
}

/** Where the units of a layer sit in a tensor. */
export interface UnitSlice {
  /** Published name of the tensor, without prefix. */
  readonly tensor: string;
  /** Axis along which the units stand one after the other. */
  readonly axis: 0 | 1;
  /** Entries of the axis that a unit has: the head size of a head, else 1. */
  readonly width: number;
  /** Whether it is here that a unit's gate is multiplied in. */
  readonly folds: boolean;
  /** Whether it tells a unit's magnitude: its own weights, without biases and norms. */
  readonly weighs: boolean;
}

/**
 * Where the units of a layer sit in a model's tensors, and where their gates can be multiplied in without changing what
 * the model computes: a convolution's in the weights that read its output, behind its norm and GELU; the last one's in
 * weight and bias of the projection's norm, behind which its gate sits; a head's and a feed-forward unit's in the columns
 * of the linear layer behind it.
 *
 * @param config Architecture, dense or compact.
 * @param units The units of a layer, which has some.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { slicesOf } from "./unit_slices.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * slicesOf(config, { kind: "conv", layer: 0 }).find(({ folds }) => folds)?.tensor; // "feature_extractor.conv_layers.1.conv.weight"
 * ```
 */
export function slicesOf(config: ModelConfig, { kind, layer }: LayerUnits): UnitSlice[] {
  const slices: UnitSlice[] = [];
  const width = kind === "heads" ? config.head_dim : 1;
  const add = (tensor: string, axis: 0 | 1, role: { folds?: boolean; weighs?: boolean } = {}) => {
    slices.push({ tensor, axis, width, folds: role.folds ?? false, weighs: role.weighs ?? false });
  };
  if (kind === "conv") {
    const last = layer === config.conv_dim.length - 1;
    const name = `feature_extractor.conv_layers.${layer}`;
    add(`${name}.conv.weight`, 0, { weighs: true });
    if (config.conv_bias) add(`${name}.conv.bias`, 0);
    if (config.feat_extract_norm === "layer" || layer === 0) {
      add(`${name}.layer_norm.weight`, 0);
      add(`${name}.layer_norm.bias`, 0);
    }
    const normed = last && config.feat_proj_layer_norm;
    if (normed) {
      add("feature_projection.layer_norm.weight", 0, { folds: true });
      add("feature_projection.layer_norm.bias", 0, { folds: true });
    }
    const reader = last
      ? "feature_projection.projection.weight"
      : `feature_extractor.conv_layers.${layer + 1}.conv.weight`;
    add(reader, 1, { folds: !normed });
  } else if (kind === "heads") {
    const name = `encoder.layers.${layer}.attention`;
    for (const part of ["q_proj", "k_proj", "v_proj"]) {
      add(`${name}.${part}.weight`, 0, { weighs: true });
      add(`${name}.${part}.bias`, 0);
    }
    add(`${name}.out_proj.weight`, 1, { folds: true, weighs: true });
  } else {
    const name = `encoder.layers.${layer}.feed_forward`;
    add(`${name}.intermediate_dense.weight`, 0, { weighs: true });
    add(`${name}.intermediate_dense.bias`, 0);
    add(`${name}.output_dense.weight`, 1, { folds: true, weighs: true });
  }
  return slices;
}
