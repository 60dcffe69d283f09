import type { HeadKind, ModelConfig } from "./config.ts";
import { FAMILIES } from "./families.ts";

/** Name and shape of a parameter tensor. */
export interface ParameterSpec {
  /** Published name without the model prefix: `encoder.layer_norm.weight`. */
  readonly name: string;
  /** Published shape: convolutions are [O, C, K], linear layers [O, C]. */
  readonly shape: readonly number[];
  /** Module whose cost includes it, the name of a row of {@linkcode costsOf}: `encoder.layers.3.attention`. */
  readonly group: string;
}

/** Input projections of attention in published order; their weights are adjacent on the device (fused QKV). */
const PROJECTIONS = ["k_proj", "v_proj", "q_proj"] as const;

/** Names of the tensors of a layer's QKV projections. @param part `weight` or `bias`. */
export function projections(layer: number, part: string): string[] {
  return PROJECTIONS.map((name) => `encoder.layers.${layer}.attention.${name}.${part}`);
}

/**
 * Whether a tensor is read by GEMMs only, as weights of convolutions and linear layers are. The weight of the positional
 * convolution is not, since weight norm is applied first in most families.
 */
export function isGemmWeight(name: string): boolean {
  return /(conv_layers\.\d+\.conv|projection|_proj|_dense|adapter_layer\.linear_[12]|^lm_head|^projector|^classifier)\.weight$/
    .test(
      name,
    );
}

/** Whether a tensor is a running mean or variance of a batch norm, which is neither trained nor counted as a parameter. */
export function isStatistic(name: string): boolean {
  return /\.running_(mean|var)$/.test(name);
}

/** Embedding of masked frames in training; may be missing from files. */
export const MASK_EMBEDDING = "masked_spec_embed";

/** Scale of each channel of the last convolution's output, with `feature_scale`. */
export const FEATURE_SCALE = "feature_extractor.dummy_weight";

/** Weights of the hidden states in a classification head with `use_weighted_layer_sum`. */
export const LAYER_WEIGHTS = "layer_weights";

/**
 * The tensors of a model in the order of its modules, with the published names but without the prefix of the family, such as
 * `wav2vec2.`. Weight norm of the positional convolution is `weight_g` and `weight_v`. Empty tensors, as in a layer without heads
 * or units, are omitted; the output bias of such a layer stays. An absent sub-layer has no tensors but its norm.
 *
 * @param config Architecture, dense or compact.
 * @param head Head on top of the Transformer.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { parameterSpecs } from "./parameter_specs.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * parameterSpecs(config, "ctc").at(-1); // { name: "lm_head.bias", shape: [32], group: "lm_head" }
 * ```
 */
export function parameterSpecs(config: ModelConfig, head: HeadKind): ParameterSpec[] {
  const mask = hasMaskEmbedding(config) ? [spec(MASK_EMBEDDING, MASK_EMBEDDING, config.hidden_size)] : [];
  const layers = Array.from({ length: config.num_hidden_layers }, (_, j) => layerSpecs(config, j));
  const specs = [
    ...mask,
    ...featureSpecs(config),
    ...positionSpecs(config),
    ...layers.flat(),
    ...headSpecs(config, head),
  ];
  return specs.filter(({ shape }) => !shape.includes(0));
}

/** The convolutions and the feature projection. */
function featureSpecs(config: ModelConfig): ParameterSpec[] {
  const { conv_dim, conv_kernel, conv_bias, hidden_size: d } = config;
  const convolutions = conv_dim.flatMap((channels, i) => {
    const group = `feature_extractor.conv_layers.${i}`;
    return [
      spec(group, `${group}.conv.weight`, channels, conv_dim[i - 1] ?? 1, conv_kernel[i]!),
      ...(conv_bias ? [spec(group, `${group}.conv.bias`, channels)] : []),
      ...(hasConvNorm(config, i) ? norm(group, `${group}.layer_norm`, channels) : []),
    ];
  });
  const features = conv_dim.at(-1)!;
  const last = `feature_extractor.conv_layers.${conv_dim.length - 1}`;
  const group = "feature_projection";
  return [
    ...convolutions,
    ...(config.feature_scale ? [spec(last, FEATURE_SCALE, features)] : []),
    ...(config.feat_proj_layer_norm ? norm(group, `${group}.layer_norm`, features) : []),
    ...linear(group, `${group}.projection`, d, features),
  ];
}

/** The positional convolutions, and the norm before or after the layers. */
function positionSpecs(config: ModelConfig): ParameterSpec[] {
  const { hidden_size: d, num_conv_pos_embeddings: taps, num_conv_pos_embedding_groups: groups } = config;
  const group = "encoder.pos_conv_embed";
  const weightNormed = [
    spec(group, `${group}.conv.weight_g`, 1, 1, taps),
    spec(group, `${group}.conv.weight_v`, d, d / groups, taps),
    spec(group, `${group}.conv.bias`, d),
  ];
  const batchNormed = [
    ...norm(group, `${group}.batch_norm`, d),
    spec(group, `${group}.batch_norm.running_mean`, d),
    spec(group, `${group}.batch_norm.running_var`, d),
    spec(group, `${group}.conv.weight`, d, d / groups, taps),
    spec(group, `${group}.conv.bias`, d),
  ];
  const stack = Array.from({ length: config.num_conv_pos_embeddings }, (_, i) => [
    spec(group, `${group}.layers.${i}.conv.weight`, d, d / groups, config.conv_pos_kernel_size),
    spec(group, `${group}.layers.${i}.conv.bias`, d),
  ]);
  return [
    ...(hasPositionalStack(config) ? stack.flat() : config.conv_pos_batch_norm ? batchNormed : weightNormed),
    ...norm("encoder.layer_norm", "encoder.layer_norm", d),
  ];
}

/** Transformer layer `j`: attention and feed-forward, each with its norm. */
function layerSpecs(config: ModelConfig, j: number): ParameterSpec[] {
  const { hidden_size: d, head_dim, num_buckets } = config;
  const layer = `encoder.layers.${j}`;
  const attention = `${layer}.attention`;
  const feedForward = `${layer}.feed_forward`;
  const width = config.num_attention_heads[j]! * head_dim;
  const units = config.intermediate_size[j]!;
  const positionBias = config.model_type !== "wavlm" ? [] : [
    spec(attention, `${attention}.gru_rel_pos_const`, 1, d / head_dim, 1, 1),
    ...linear(attention, `${attention}.gru_rel_pos_linear`, 8, head_dim),
    ...(j === 0 ? [spec(attention, `${attention}.rel_attn_embed.weight`, num_buckets, d / head_dim)] : []),
  ];
  const attentionSpecs = [
    ...PROJECTIONS.flatMap((part) => linear(attention, `${attention}.${part}`, width, d)),
    ...linear(attention, `${attention}.out_proj`, d, width),
    ...positionBias,
  ];
  const feedForwardSpecs = [
    ...linear(feedForward, `${feedForward}.intermediate_dense`, units, d),
    ...linear(feedForward, `${feedForward}.output_dense`, d, units),
  ];
  return [
    ...(config.use_attention[j] ? attentionSpecs : []),
    ...norm(attention, `${layer}.layer_norm`, d),
    ...(config.use_feed_forward[j] ? feedForwardSpecs : []),
    ...norm(feedForward, `${layer}.final_layer_norm`, d),
    ...adapterSpecs(config, `${layer}.adapter_layer`),
  ];
}

/** The adapter of a layer, if the model has adapters. */
function adapterSpecs(
  { hidden_size: d, adapter_attn_dim: width }: ModelConfig,
  group: string,
): ParameterSpec[] {
  if (width === null) return [];
  return [
    ...norm(group, `${group}.norm`, d),
    ...linear(group, `${group}.linear_1`, width, d),
    ...linear(group, `${group}.linear_2`, d, width),
  ];
}

function headSpecs(config: ModelConfig, head: HeadKind): ParameterSpec[] {
  const { hidden_size: d, vocab_size, classifier_proj_size, id2label } = config;
  if (head === "none") return [];
  if (head === "ctc") return linear("lm_head", "lm_head", vocab_size, d);
  return [
    ...(config.use_weighted_layer_sum
      ? [spec(LAYER_WEIGHTS, LAYER_WEIGHTS, config.num_hidden_layers + 1)]
      : []),
    ...linear("projector", "projector", classifier_proj_size, d),
    ...linear("classifier", "classifier", id2label.length, classifier_proj_size),
  ];
}

function spec(group: string, name: string, ...shape: number[]): ParameterSpec {
  return { name, shape, group };
}

function norm(group: string, name: string, size: number): ParameterSpec[] {
  return [spec(group, `${name}.weight`, size), spec(group, `${name}.bias`, size)];
}

function linear(group: string, name: string, outputs: number, inputs: number): ParameterSpec[] {
  return [spec(group, `${name}.weight`, outputs, inputs), spec(group, `${name}.bias`, outputs)];
}

/** Whether convolution `i` has a norm: all of them with `layer`, the first with `group`. */
export function hasConvNorm(config: ModelConfig, i: number): boolean {
  return config.feat_extract_norm === "layer" || i === 0;
}

/** Whether a model has a stack of positional convolutions, without weight norm, as data2vec has. */
export function hasPositionalStack({ model_type }: ModelConfig): boolean {
  return model_type === "data2vec-audio";
}

/** Whether a model of this config has an embedding of masked frames. */
export function hasMaskEmbedding({ mask_time_prob, mask_feature_prob }: ModelConfig): boolean {
  return mask_time_prob > 0 || mask_feature_prob > 0;
}

/** The head that the first entry of `architectures` implies. */
export function headOf({ architectures }: ModelConfig): HeadKind {
  const [name = ""] = architectures;
  if (/For(CTC|MaskedLM)$/.test(name)) return "ctc";
  return name.endsWith("ForSequenceClassification") ? "classify" : "none";
}

/** The config with the `architectures` entry of another head. */
export function withHead(config: ModelConfig, head: HeadKind): ModelConfig {
  if (headOf(config) === head) return config;
  const suffix = { ctc: "ForCTC", classify: "ForSequenceClassification", none: "Model" }[head];
  return { ...config, architectures: [FAMILIES[config.model_type].className + suffix] };
}

/**
 * The name of a tensor in files that Hugging Face publishes, for a model with a head.
 *
 * @param config Architecture.
 * @param name Name without prefix, as in `parameterSpecs`.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { publishedName } from "./parameter_specs.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/hubert-base.json"));
 * publishedName(config, "encoder.layer_norm.bias"); // "hubert.encoder.layer_norm.bias"
 * publishedName(config, "lm_head.bias"); // "lm_head.bias"
 * ```
 */
export function publishedName({ model_type }: ModelConfig, name: string): string {
  return /^((lm_head|projector|classifier)\.|layer_weights$)/.test(name)
    ? name
    : FAMILIES[model_type].prefix + name;
}
