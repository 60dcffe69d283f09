import type { ModelConfig } from "./config.ts";
import type { UnitCounts } from "./costs.ts";
import { FEATURE_SCALE } from "./parameter_specs.ts";

/** The prunable units of a layer: channels of a convolution, heads or feed-forward units of a Transformer layer. */
export interface LayerUnits {
  /** Kind of unit. */
  readonly kind: keyof UnitCounts;
  /** Index of the convolution or Transformer layer, from 0. */
  readonly layer: number;
}

/** Where the units of a layer are stored in a tensor. */
export interface UnitSlice {
  /** Published name of the tensor, without prefix. */
  readonly tensor: string;
  /** Axis that the units are concatenated along. */
  readonly axis: 0 | 1;
  /** Entries of the axis per unit: the head size for heads, else 1. */
  readonly width: number;
  /** Whether surgery multiplies the gate into this tensor. */
  readonly foldsGate: boolean;
  /** Whether the magnitude of a unit includes this tensor: weights, but no biases and norms. */
  readonly inMagnitude: boolean;
}

/**
 * Where the units of a layer are stored, and which tensors can absorb their gates without changing the function of the model. A
 * gate of a convolution is folded into the weights that read its output; that of the last convolution into weight and bias
 * of the norm of the feature projection, which precedes the gate; that of a head or feed-forward unit into the columns
 * of the output projection.
 *
 * @param config Architecture, dense or compact.
 * @param units A layer with at least one unit.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { slicesOf } from "./unit_slices.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * slicesOf(config, { kind: "conv", layer: 0 }).find(({ foldsGate }) => foldsGate)?.tensor; // "feature_extractor.conv_layers.1.conv.weight"
 * ```
 */
export function slicesOf(config: ModelConfig, { kind, layer }: LayerUnits): UnitSlice[] {
  const slices: UnitSlice[] = [];
  const width = kind === "heads" ? config.head_dim : 1;
  const add = (tensor: string, axis: 0 | 1, role: { foldsGate?: boolean; inMagnitude?: boolean } = {}) => {
    slices.push({
      tensor,
      axis,
      width,
      foldsGate: role.foldsGate ?? false,
      inMagnitude: role.inMagnitude ?? false,
    });
  };
  if (kind === "conv") {
    const last = layer === config.conv_dim.length - 1;
    const name = `feature_extractor.conv_layers.${layer}`;
    add(`${name}.conv.weight`, 0, { inMagnitude: true });
    if (config.conv_bias) add(`${name}.conv.bias`, 0);
    if (config.feat_extract_norm === "layer" || layer === 0) {
      add(`${name}.layer_norm.weight`, 0);
      add(`${name}.layer_norm.bias`, 0);
    }
    if (last && config.feature_scale) add(FEATURE_SCALE, 0);
    const normed = last && config.feat_proj_layer_norm;
    if (normed) {
      add("feature_projection.layer_norm.weight", 0, { foldsGate: true });
      add("feature_projection.layer_norm.bias", 0, { foldsGate: true });
    }
    const reader = last
      ? "feature_projection.projection.weight"
      : `feature_extractor.conv_layers.${layer + 1}.conv.weight`;
    add(reader, 1, { foldsGate: !normed });
  } else if (kind === "heads") {
    const name = `encoder.layers.${layer}.attention`;
    for (const part of ["q_proj", "k_proj", "v_proj"]) {
      add(`${name}.${part}.weight`, 0, { inMagnitude: true });
      add(`${name}.${part}.bias`, 0);
    }
    add(`${name}.out_proj.weight`, 1, { foldsGate: true, inMagnitude: true });
  } else {
    const name = `encoder.layers.${layer}.feed_forward`;
    add(`${name}.intermediate_dense.weight`, 0, { inMagnitude: true });
    add(`${name}.intermediate_dense.bias`, 0);
    add(`${name}.output_dense.weight`, 1, { foldsGate: true, inMagnitude: true });
  }
  return slices;
}
