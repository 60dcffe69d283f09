import { checkConfig } from "./config_check.ts";
import { adapterWidth, denseHeadSize, labels, regularization, remainingHeads } from "./config_fields.ts";
import type { ModelConfig } from "./config_types.ts";
import { JsonFields } from "./checkpoint/json_fields.ts";
import { MODEL_TYPES } from "./families.ts";
import { expandLayers } from "./per_layer_config.ts";

export type { HeadKind, ModelConfig, ModelType } from "./config_types.ts";

const SHARE = { least: 0, most: 1 };
const COUNT = { least: 0 };

/**
 * Parses the `config.json` of a speech model of any {@linkcode ModelType}, dense or compact. Sizes of the architecture are required;
 * other missing fields take the defaults of `transformers`. Long because it is the table of
 * fields.
 *
 * @param text Content of `config.json`.
 * @param name File name for error messages.
 * @throws {SyntaxError} If the text is not a JSON object. Every error is one line that names file and field.
 * @throws {TypeError} If a field is missing or has the wrong type.
 * @throws {RangeError} If a value is out of range, contradicts another, or is not supported.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * console.log(config.num_attention_heads); // [12, 12, …]: one entry per layer
 * ```
 */
export function parseConfig(text: string, name = "config.json"): ModelConfig {
  const json = new JsonFields(text, name);
  const model_type = json.word("model_type", MODEL_TYPES);
  const data2vec = model_type === "data2vec-audio"; // its front end and norms are not configurable
  const hidden_size = json.whole("hidden_size");
  const num_hidden_layers = json.whole("num_hidden_layers", undefined, { most: 1024 });
  const fields = expandLayers(json, num_hidden_layers);
  const num_attention_heads = fields.wholes("num_attention_heads", num_hidden_layers, COUNT);
  const conv_dim = fields.wholes("conv_dim");
  const config: ModelConfig = {
    model_type,
    architectures: fields.words("architectures"),
    conv_dim,
    conv_kernel: fields.wholes("conv_kernel"),
    conv_stride: fields.wholes("conv_stride"),
    conv_bias: fields.flag("conv_bias", false),
    feat_extract_norm: data2vec ? "layer" : fields.word("feat_extract_norm", ["group", "layer"]),
    feature_scale: fields.flag("feature_scale", false),
    feat_proj_layer_norm: model_type !== "hubert" || fields.flag("feat_proj_layer_norm", true),
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    head_dim: fields.whole("head_dim", denseHeadSize(fields, hidden_size, num_attention_heads)),
    remaining_heads: model_type === "wavlm" ? remainingHeads(fields, num_attention_heads) : null,
    intermediate_size: fields.wholes("intermediate_size", num_hidden_layers, COUNT),
    use_attention: fields.flags("use_attention", num_hidden_layers, true),
    use_feed_forward: fields.flags("use_feed_forward", num_hidden_layers, true),
    do_stable_layer_norm: !data2vec && fields.flag("do_stable_layer_norm"),
    adapter_attn_dim: adapterWidth(fields, model_type),
    layer_norm_eps: fields.number("layer_norm_eps", 1e-5, { least: 1e-30, most: 1 }),
    num_conv_pos_embeddings: fields.whole("num_conv_pos_embeddings", data2vec ? 5 : 128),
    conv_pos_kernel_size: fields.whole("conv_pos_kernel_size", 19),
    num_conv_pos_embedding_groups: fields.whole("num_conv_pos_embedding_groups", 16),
    conv_pos_batch_norm: model_type === "hubert" && fields.flag("conv_pos_batch_norm", false),
    num_buckets: fields.whole("num_buckets", 320, { least: 4 }),
    max_bucket_distance: fields.whole("max_bucket_distance", 800),
    vocab_size: fields.whole("vocab_size", 32),
    pad_token_id: fields.whole("pad_token_id", 0, COUNT),
    ctc_loss_reduction: fields.word("ctc_loss_reduction", ["sum", "mean"], "sum"),
    ctc_zero_infinity: fields.flag("ctc_zero_infinity", false),
    classifier_proj_size: fields.whole("classifier_proj_size", 256),
    id2label: labels(fields),
    use_weighted_layer_sum: fields.flag("use_weighted_layer_sum", false),
    ...regularization(fields),
    initializer_range: fields.number("initializer_range", 0.02, SHARE),
    source: text,
  };
  checkConfig(config, fields);
  return config;
}

/** Number of attention heads of a layer, counted from 0. */
export function headsOf({ num_attention_heads }: ModelConfig, layer: number): number {
  return num_attention_heads[layer]!;
}

/** Number of feed-forward units of a layer, counted from 0. */
export function unitsOf({ intermediate_size }: ModelConfig, layer: number): number {
  return intermediate_size[layer]!;
}

/** Head size D. */
export function headSizeOf({ head_dim }: ModelConfig): number {
  return head_dim;
}
