import type { HeadKind, ModelConfig } from "./config.ts";

/** A tensor that a model has. */
export interface ParameterSpec {
  /** Published name without the prefix of the model: `encoder.layer_norm.weight`. */
  readonly name: string;
  /** Published shape: convolutions are [O, C, K], linear layers [O, C]. */
  readonly shape: readonly number[];
  /** Module it is counted with, the name of a row of {@linkcode costsOf}: `encoder.layers.3.attention`. */
  readonly group: string;
}

/** Attention's projections of its input, in the order of the modules; they lie side by side on the device. */
const PROJECTIONS = ["k_proj", "v_proj", "q_proj"] as const;

/** Names of a layer's projections. @param part `weight` or `bias`. */
export function projections(layer: number, part: string): string[] {
  return PROJECTIONS.map((name) => `encoder.layers.${layer}.attention.${name}.${part}`);
}

/**
 * Whether a tensor is an operand of products and read by nothing else, as weights of convolutions and linear layers are; that
 * of the positional convolution is normed first.
 */
export function isGemmWeight(name: string): boolean {
  return /(conv_layers\.\d+\.conv|projection|_proj|_dense|^lm_head|^projector|^classifier)\.weight$/.test(
    name,
  );
}

/** The tensor that stands for masked frames in training; files may lack it. */
export const MASK_EMBEDDING = "masked_spec_embed";

/**
 * The tensors of a model in the order of its modules, by the names that Hugging Face publishes without `wav2vec2.`,
 * `hubert.` or `wavlm.` before them. The positional convolution is told by `weight_g` and `weight_v`. A tensor
 * without numbers, as in a layer that lost all its heads or units, is not listed; its output bias is.
 *
 * @param config Architecture, dense or compact.
 * @param head What follows the Transformer.
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
  const specs: ParameterSpec[] = [];
  const { hidden_size: d, conv_dim, conv_kernel } = config;
  const add = (group: string, name: string, ...shape: number[]) => {
    if (!shape.includes(0)) specs.push({ name, shape, group });
  };
  const norm = (group: string, name: string, size: number) => {
    add(group, `${name}.weight`, size);
    add(group, `${name}.bias`, size);
  };
  const linear = (group: string, name: string, outputs: number, inputs: number) => {
    add(group, `${name}.weight`, outputs, inputs);
    add(group, `${name}.bias`, outputs);
  };

  if (hasMaskEmbedding(config)) add(MASK_EMBEDDING, MASK_EMBEDDING, d);
  conv_dim.forEach((channels, i) => {
    const group = `feature_extractor.conv_layers.${i}`;
    add(group, `${group}.conv.weight`, channels, conv_dim[i - 1] ?? 1, conv_kernel[i]!);
    if (config.conv_bias) add(group, `${group}.conv.bias`, channels);
    if (hasConvNorm(config, i)) norm(group, `${group}.layer_norm`, channels);
  });

  const features = conv_dim.at(-1)!;
  if (config.feat_proj_layer_norm) norm("feature_projection", "feature_projection.layer_norm", features);
  linear("feature_projection", "feature_projection.projection", d, features);

  const position = "encoder.pos_conv_embed";
  const taps = config.num_conv_pos_embeddings;
  add(position, `${position}.conv.weight_g`, 1, 1, taps);
  add(position, `${position}.conv.weight_v`, d, d / config.num_conv_pos_embedding_groups, taps);
  add(position, `${position}.conv.bias`, d);
  norm("encoder.layer_norm", "encoder.layer_norm", d);

  for (let j = 0; j < config.num_hidden_layers; j++) {
    const layer = `encoder.layers.${j}`;
    const attention = `${layer}.attention`;
    const width = config.num_attention_heads[j]! * config.head_dim;
    for (const part of PROJECTIONS) linear(attention, `${attention}.${part}`, width, d);
    linear(attention, `${attention}.out_proj`, d, width);
    if (config.model_type === "wavlm") {
      const heads = d / config.head_dim;
      add(attention, `${attention}.gru_rel_pos_const`, 1, heads, 1, 1);
      linear(attention, `${attention}.gru_rel_pos_linear`, 8, config.head_dim);
      if (j === 0) add(attention, `${attention}.rel_attn_embed.weight`, config.num_buckets, heads);
    }
    norm(attention, `${layer}.layer_norm`, d);
    const units = config.intermediate_size[j]!;
    const feedForward = `${layer}.feed_forward`;
    linear(feedForward, `${feedForward}.intermediate_dense`, units, d);
    linear(feedForward, `${feedForward}.output_dense`, d, units);
    norm(feedForward, `${layer}.final_layer_norm`, d);
  }

  if (head === "ctc") linear("lm_head", "lm_head", config.vocab_size, d);
  if (head === "classify") {
    linear("projector", "projector", config.classifier_proj_size, d);
    linear("classifier", "classifier", config.id2label.length, config.classifier_proj_size);
  }
  return specs;
}

/** Whether convolution `i` has a norm: every one of the layer family, the first of the group family. */
export function hasConvNorm(config: ModelConfig, i: number): boolean {
  return config.feat_extract_norm === "layer" || i === 0;
}

/** Whether a model of this config has an embedding for masked frames. */
export function hasMaskEmbedding({ mask_time_prob, mask_feature_prob }: ModelConfig): boolean {
  return mask_time_prob > 0 || mask_feature_prob > 0;
}

/** The head that a config asks for by its first architecture. */
export function headOf({ architectures }: ModelConfig): HeadKind {
  const [name = ""] = architectures;
  if (/For(CTC|MaskedLM)$/.test(name)) return "ctc";
  return name.endsWith("ForSequenceClassification") ? "classify" : "none";
}

/** The config of the same model with another head, told by its architecture. */
export function withHead(config: ModelConfig, head: HeadKind): ModelConfig {
  if (headOf(config) === head) return config;
  const family = { wav2vec2: "Wav2Vec2", hubert: "Hubert", wavlm: "WavLM" }[config.model_type];
  const suffix = { ctc: "ForCTC", classify: "ForSequenceClassification", none: "Model" }[head];
  return { ...config, architectures: [family + suffix] };
}

/**
 * The name under which Hugging Face publishes a tensor of a model with a head.
 *
 * @param config Architecture.
 * @param name Name without prefix, as {@linkcode parameterSpecs} has it.
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
  return /^(lm_head|projector|classifier)\./.test(name) ? name : `${model_type}.${name}`;
}
