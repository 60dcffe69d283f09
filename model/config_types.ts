/** Family of a model, by its `model_type`. */
export type ModelType = "wav2vec2" | "hubert" | "wavlm";

/** What follows the Transformer: a CTC head, a classification head, or nothing. */
export type HeadKind = "ctc" | "classify" | "none";

/**
 * Architecture of a model, by the names of `config.json`. Sizes are per layer where layers may differ, as in a
 * compact model. Make one with {@linkcode parseConfig}; change it by spreading it into another.
 *
 * @example
 * ```ts
 * import { type ModelConfig, parseConfig } from "./config.ts";
 *
 * const dense: ModelConfig = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const compact: ModelConfig = { ...dense, intermediate_size: [96, 0, 128, 80] };
 * console.log(compact.intermediate_size[1]); // 0: the layer lost all its units
 * ```
 */
export interface ModelConfig {
  /** Family. */
  readonly model_type: ModelType;
  /** Names of Python classes, such as `Wav2Vec2ForCTC`. */
  readonly architectures: readonly string[];

  /** Output channels of every convolution. */
  readonly conv_dim: readonly number[];
  /** Kernel width of every convolution. */
  readonly conv_kernel: readonly number[];
  /** Stride of every convolution. */
  readonly conv_stride: readonly number[];
  /** Whether the convolutions have biases. */
  readonly conv_bias: boolean;
  /** `group`: a norm per channel over time after the first convolution; `layer`: a layer norm after each. */
  readonly feat_extract_norm: "group" | "layer";
  /** Whether a layer norm comes before the feature projection; only HuBERT's can lack it. */
  readonly feat_proj_layer_norm: boolean;

  /** Width d of the Transformer. */
  readonly hidden_size: number;
  /** Layers of the Transformer. */
  readonly num_hidden_layers: number;
  /** Heads of every layer, which may be 0. */
  readonly num_attention_heads: readonly number[];
  /** Numbers D of a head. */
  readonly head_dim: number;
  /** WavLM: of every layer, the numbers its heads had in the dense model; null for the others. */
  readonly remaining_heads: readonly (readonly number[])[] | null;
  /** Feed-forward units of every layer, which may be 0. */
  readonly intermediate_size: readonly number[];
  /** Whether norms come before attention and feed-forward (pre-norm), or after. */
  readonly do_stable_layer_norm: boolean;
  /** Epsilon of the norms, but for those of the convolutions, which is always 1e-5. */
  readonly layer_norm_eps: number;
  /** Kernel width of the positional convolution. */
  readonly num_conv_pos_embeddings: number;
  /** Groups of the positional convolution. */
  readonly num_conv_pos_embedding_groups: number;
  /** WavLM: buckets of relative positions. */
  readonly num_buckets: number;
  /** WavLM: distance from which on there is one bucket. */
  readonly max_bucket_distance: number;

  /** Tokens of the CTC head. */
  readonly vocab_size: number;
  /** The blank of CTC. */
  readonly pad_token_id: number;
  /** How the losses of clips become one. */
  readonly ctc_loss_reduction: "sum" | "mean";
  /** Whether infinite losses count as 0. */
  readonly ctc_zero_infinity: boolean;
  /** Width of the projector before the classifier. */
  readonly classifier_proj_size: number;
  /** Names of the classes. */
  readonly id2label: readonly string[];
  /** Whether the classification head reads a weighted sum of all hidden states, which is not supported. */
  readonly use_weighted_layer_sum: boolean;

  /** Dropout of hidden states. */
  readonly hidden_dropout: number;
  /** Dropout of attention weights. */
  readonly attention_dropout: number;
  /** Dropout within the feed-forward block. */
  readonly activation_dropout: number;
  /** Dropout of projected features. */
  readonly feat_proj_dropout: number;
  /** Dropout before the CTC head. */
  readonly final_dropout: number;
  /** Probability that a layer is left out in training. */
  readonly layerdrop: number;
  /** Whether training masks frames and features. */
  readonly apply_spec_augment: boolean;
  /** Share of frames that are masked in training. */
  readonly mask_time_prob: number;
  /** Frames of a mask. */
  readonly mask_time_length: number;
  /** Masks of a clip at least. */
  readonly mask_time_min_masks: number;
  /** Share of features that are masked in training. */
  readonly mask_feature_prob: number;
  /** Features of a mask. */
  readonly mask_feature_length: number;
  /** Masks over features at least. */
  readonly mask_feature_min_masks: number;
  /** Standard deviation of initial weights of linear layers. */
  readonly initializer_range: number;

  /** Text it was read from, with all its unknown fields, which {@linkcode encodeConfig} keeps. */
  readonly source: string;
}
