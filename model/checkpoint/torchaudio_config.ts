// The config of a model in a file of DPHuBERT or DiariZen: the arguments of torchaudio's wav2vec2_model and wavlm_model, with
// sizes per layer. https://pytorch.org/audio/stable/generated/torchaudio.models.wav2vec2_model.html

import { JsonFields } from "./json_fields.ts";

/** What a weight file states about its model, as text. */
export interface EmbeddedConfig {
  /** `config.json` of Hugging Face's layout. */
  readonly config: string;
  /** `preprocessor_config.json`. */
  readonly preprocessor: string;
}

const COUNT = { least: 0 };
const SHARE = { least: 0, most: 1 };

/** Entries of all lists together; above every published config. */
const MAX_ENTRIES = 2 ** 18;

/** torchaudio's default without `extractor_conv_layer_config`: channels, kernel and stride. */
const CONVOLUTIONS = [[512, 10, 5], ...new Array(4).fill([512, 3, 2]), ...new Array(2).fill([512, 2, 2])];

/**
 * The config of a model of torchaudio, DPHuBERT or DiariZen in Hugging Face's fields. A sub-layer that is not used has 0 heads or
 * units. There is no embedding of masked frames. The family without WavLM's position bias is read as HuBERT, which computes
 * the same as wav2vec 2.0.
 *
 * @param value What the file has under `config`.
 * @param name File name for error messages.
 * @returns Null if it is not such a config.
 * @throws {SyntaxError | TypeError | RangeError} If a field is missing or has a wrong type or value; one line.
 *
 * @example
 * ```ts ignore
 * const { tensors, beside } = parseTorchFile(bytes, "DPHuBERT-sp0.75.pth");
 * const config = parseConfig(torchaudioConfig(beside.get("config"), "DPHuBERT-sp0.75.pth")!.config);
 * ```
 */
export function torchaudioConfig(value: unknown, name: string): EmbeddedConfig | null {
  if (!(value instanceof Map) || !value.has("encoder_embed_dim")) return null;
  const fields = new JsonFields(jsonOf(value), `${name}, config`);
  const isWavlm = fields.has("encoder_remaining_heads") || fields.has("encoder_num_buckets");
  const d = fields.whole("encoder_embed_dim");
  const vocabulary = fields.has("aux_num_out") ? fields.whole("aux_num_out") : null;
  const config = {
    architectures: [(isWavlm ? "WavLM" : "Hubert") + (vocabulary === null ? "Model" : "ForCTC")],
    model_type: isWavlm ? "wavlm" : "hubert",
    hidden_size: d,
    ...convolutions(fields),
    feat_extract_norm: fields.word("extractor_mode", ["group_norm", "layer_norm"]).replace("_norm", ""),
    ...layers(fields, d, isWavlm),
    do_stable_layer_norm: fields.flag("encoder_layer_norm_first"),
    num_conv_pos_embeddings: fields.whole("encoder_pos_conv_kernel"),
    num_conv_pos_embedding_groups: fields.whole("encoder_pos_conv_groups"),
    ...isWavlm && {
      num_buckets: fields.whole("encoder_num_buckets", 320),
      max_bucket_distance: fields.whole("encoder_max_distance", 800),
    },
    hidden_dropout: fields.number("encoder_dropout", 0.1, SHARE),
    attention_dropout: fields.number("encoder_attention_dropout", 0.1, SHARE),
    activation_dropout: fields.number("encoder_ff_interm_dropout", 0.1, SHARE),
    feat_proj_dropout: fields.number("encoder_projection_dropout", 0, SHARE),
    layerdrop: fields.number("encoder_layer_drop", 0.1, SHARE),
    mask_time_prob: 0,
    ...vocabulary !== null && { vocab_size: vocabulary },
  };
  const preprocessor = {
    do_normalize: fields.flag("normalize_waveform", true),
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    padding_value: 0,
    return_attention_mask: config.feat_extract_norm === "layer",
    sampling_rate: 16_000,
  };
  return { config: json(config), preprocessor: json(preprocessor) };
}

/** Channels, kernels and strides, from three values per convolution. */
function convolutions(fields: JsonFields) {
  const key = "extractor_conv_layer_config";
  const { raw: { [key]: list } } = fields;
  const shapes = fields.has(key) ? fields.lists(key, Array.isArray(list) ? list.length : 0) : CONVOLUTIONS;
  if (shapes.some((shape) => shape.length !== 3)) {
    fields.refuse(
      key,
      "must have channels, kernel and stride of each convolution",
      "a list has another length",
    );
  }
  return {
    conv_dim: shapes.map(([channels]) => channels!),
    conv_kernel: shapes.map(([, kernel]) => kernel!),
    conv_stride: shapes.map(([, , stride]) => stride!),
    conv_bias: fields.flag("extractor_conv_bias", false),
  };
}

/** Heads and feed-forward units of every layer. */
function layers(fields: JsonFields, d: number, isWavlm: boolean) {
  const count = fields.whole("encoder_num_layers", undefined, { most: 1024 });
  const useAttention = fields.flags("encoder_use_attention", count, true);
  const useFeedForward = fields.flags("encoder_use_feed_forward", count, true);
  const kept = fields.has("encoder_remaining_heads")
    ? fields.lists("encoder_remaining_heads", count, COUNT).map((heads, j) => useAttention[j] ? heads : [])
    : null;
  const heads = kept
    ? kept.map(({ length }) => length)
    : fields.wholes("encoder_num_heads", count, COUNT).map((n, j) => useAttention[j] ? n : 0);
  const units = fields.wholes("encoder_ff_interm_features", count, COUNT);
  return {
    num_hidden_layers: count,
    num_attention_heads: collapsed(heads),
    head_dim: headSize(fields, d, count, heads),
    ...isWavlm && kept && { remaining_heads: kept },
    intermediate_size: collapsed(units.map((n, j) => useFeedForward[j] ? n : 0)),
    ...useAttention.includes(false) && { use_attention: useAttention },
    ...useFeedForward.includes(false) && { use_feed_forward: useFeedForward },
  };
}

/** One number if all sizes are equal. */
function collapsed(sizes: readonly number[]): number | readonly number[] {
  return sizes.every((size) => size === sizes[0]) ? sizes[0]! : sizes;
}

/** Head size: given, or from the number of heads before pruning. */
function headSize(fields: JsonFields, d: number, count: number, heads: readonly number[]): number {
  if (fields.has("encoder_head_dim")) return fields.whole("encoder_head_dim");
  const key = fields.has("encoder_total_num_heads") ? "encoder_total_num_heads" : "encoder_num_heads";
  const dense = key === "encoder_num_heads" ? heads : fields.wholes(key, count);
  const [first = 0] = dense;
  if (first === 0 || dense.some((n) => n !== first) || d % first !== 0) {
    fields.refuse(key, `must be the same for every layer and divide encoder_embed_dim ${d}`);
  }
  return d / first;
}

/**
 * The fields as JSON. Lists can be shared in a pickle, or contain themselves, so depth and size are bounded; objects other
 * than lists and scalars are text, which no field may be.
 */
function jsonOf(fields: ReadonlyMap<unknown, unknown>): string {
  let entries = 0;
  const plain = (value: unknown, depth: number): unknown => {
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    if (typeof value === "string") return value.slice(0, 100);
    if (!Array.isArray(value) || depth === 0 || (entries += value.length) > MAX_ENTRIES) return "an object";
    return value.map((item) => plain(item, depth - 1));
  };
  const named = [...fields].filter(([key]) => typeof key === "string") as [string, unknown][];
  return JSON.stringify(Object.fromEntries(named.map(([key, value]) => [key, plain(value, 2)])));
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
