import type { ModelType } from "./families.ts";

export type { ModelType };

/** Head on top of the Transformer: CTC, classification, or none. */
export type HeadKind = "ctc" | "classify" | "none";

/**
 * Architecture and training settings of a model, named as in `config.json`. Sizes are lists with one entry per layer, since
 * layers differ in a compact model. {@linkcode parseConfig} makes one; spread it into another object to change it.
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
  /** Names of the `transformers` classes, such as `Wav2Vec2ForCTC`. */
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
  /** Whether each channel of the last convolution's output is scaled, before the norm: `dummy_weight` of DPHuBERT. */
  readonly feature_scale: boolean;
  /** Whether a layer norm precedes the feature projection. False only for some HuBERT models. */
  readonly feat_proj_layer_norm: boolean;

  /** Hidden size d of the Transformer. */
  readonly hidden_size: number;
  /** Number of Transformer layers. */
  readonly num_hidden_layers: number;
  /** Attention heads of every layer; may be 0. */
  readonly num_attention_heads: readonly number[];
  /** Head size D. */
  readonly head_dim: number;
  /** WavLM: for every layer, the indices of its heads in the dense model; null for the other families. */
  readonly remaining_heads: readonly (readonly number[])[] | null;
  /** Feed-forward units of every layer; may be 0. */
  readonly intermediate_size: readonly number[];
  /** Whether every layer has attention. An absent sub-layer has no tensors but its norm: it adds nothing, not even a bias. */
  readonly use_attention: readonly boolean[];
  /** Whether every layer has a feed-forward block. */
  readonly use_feed_forward: readonly boolean[];
  /** True: layer norms precede attention and feed-forward (pre-norm). False: they follow (post-norm). */
  readonly do_stable_layer_norm: boolean;
  /** MMS: width of the adapter after each layer's feed-forward block; null without adapters. */
  readonly adapter_attn_dim: number | null;
  /** Epsilon of the layer norms in the Transformer; norms of the convolutions use 1e-5. */
  readonly layer_norm_eps: number;
  /** Kernel width of the positional convolution; data2vec: number of positional convolutions. */
  readonly num_conv_pos_embeddings: number;
  /** Data2vec: kernel width of each positional convolution. */
  readonly conv_pos_kernel_size: number;
  /** Groups of the positional convolution. */
  readonly num_conv_pos_embedding_groups: number;
  /** HuBERT: whether a batch norm precedes the positional convolution, which then has no weight norm. */
  readonly conv_pos_batch_norm: boolean;
  /** WavLM: number of buckets of relative positions. */
  readonly num_buckets: number;
  /** WavLM: all distances from this one on share one bucket. */
  readonly max_bucket_distance: number;

  /** Vocabulary size V of the CTC head. */
  readonly vocab_size: number;
  /** Id of the CTC blank. */
  readonly pad_token_id: number;
  /** Reduction of the CTC losses of a batch. */
  readonly ctc_loss_reduction: "sum" | "mean";
  /** Whether infinite CTC losses count as 0. */
  readonly ctc_zero_infinity: boolean;
  /** Width of the projection before the classifier. */
  readonly classifier_proj_size: number;
  /** Class labels by id. */
  readonly id2label: readonly string[];
  /** Whether the classification head reads a weighted sum of all hidden states. */
  readonly use_weighted_layer_sum: boolean;

  /** Dropout rate of hidden states. */
  readonly hidden_dropout: number;
  /** Dropout rate of attention weights. */
  readonly attention_dropout: number;
  /** Dropout rate inside the feed-forward block. */
  readonly activation_dropout: number;
  /** Dropout rate of projected features. */
  readonly feat_proj_dropout: number;
  /** Dropout rate before the CTC head. */
  readonly final_dropout: number;
  /** LayerDrop: probability that training skips a layer. */
  readonly layerdrop: number;
  /** Whether training applies SpecAugment. */
  readonly apply_spec_augment: boolean;
  /** SpecAugment: share of masked frames. */
  readonly mask_time_prob: number;
  /** SpecAugment: length of a time mask in frames. */
  readonly mask_time_length: number;
  /** SpecAugment: least number of time masks per utterance. */
  readonly mask_time_min_masks: number;
  /** SpecAugment: share of masked features. */
  readonly mask_feature_prob: number;
  /** SpecAugment: width of a feature mask. */
  readonly mask_feature_length: number;
  /** SpecAugment: least number of feature masks per utterance. */
  readonly mask_feature_min_masks: number;
  /** Standard deviation of the initial weights of linear layers. */
  readonly initializer_range: number;

  /** Source text, unknown fields included; {@linkcode encodeConfig} keeps them. */
  readonly source: string;
}
