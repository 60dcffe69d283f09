/** The fields of a `config.json` that the oracle reads, under their published names; others are ignored. */
export type ModelConfig = {
  model_type: "wav2vec2" | "hubert" | "wavlm" | "unispeech" | "unispeech-sat" | "data2vec-audio";
  feat_extract_norm: "group" | "layer";
  /** Output channels of every conv layer. */
  conv_dim: number[];
  conv_kernel: number[];
  conv_stride: number[];
  /** Read by `randomWeights` alone: the forward pass checks the weights. */
  conv_bias: boolean;
  hidden_size: number;
  num_hidden_layers: number;
  /** One number, or one per layer in a compact model. */
  num_attention_heads: number | number[];
  intermediate_size: number | number[];
  /** Compact model: what layers have instead. */
  per_layer_config?: Record<
    string,
    { num_attention_heads?: number; intermediate_size?: number; skip?: string[] }
  >;
  /** Whether each layer has attention and a feed-forward network; all have unless given. An absent one has no bias either. */
  use_attention?: boolean[];
  use_feed_forward?: boolean[];
  /** Whether the last convolution's output is scaled by channel before the projection's norm. */
  feature_scale?: boolean;
  /** Elements of a head; hidden_size / num_attention_heads unless given. */
  head_dim?: number;
  /** Taps of the positional convolution; data2vec: number of convolutions. */
  num_conv_pos_embeddings: number;
  /** Data2vec: taps of each positional convolution. */
  conv_pos_kernel_size?: number;
  num_conv_pos_embedding_groups: number;
  /** True for pre-norm. */
  do_stable_layer_norm: boolean;
  /** MMS: width of the adapters of pre-norm layers. */
  adapter_attn_dim?: number;
  layer_norm_eps?: number;
  /** HuBERT: false where the feature projection has no norm. */
  feat_proj_layer_norm?: boolean;
  /** HuBERT: whether a batch norm comes before the positional convolution. */
  conv_pos_batch_norm?: boolean;
  /** WavLM: number of position buckets, 320 unless given. */
  num_buckets?: number;
  /** WavLM: distance from which on all share a bucket, 800 unless given. */
  max_bucket_distance?: number;
  /** Compact WavLM: indices in the dense model of each layer's heads; all heads unless given. */
  remaining_heads?: number[][];
  vocab_size?: number;
  num_labels?: number;
  classifier_proj_size?: number;
  mask_time_prob?: number;
  mask_feature_prob?: number;
  [field: string]: unknown;
};

/** Sizes of one layer of the encoder. */
export type LayerSizes = {
  heads: number;
  /** Elements of a head. */
  width: number;
  /** Units of the feed-forward network. */
  units: number;
  /** Heads before pruning; the same in every layer. */
  allHeads: number;
  /** Index before pruning of each head. */
  remaining: number[];
};

const of = (field: number | number[], layer: number) => typeof field === "number" ? field : field[layer]!;

/** Prefix of the names of weights. */
export function prefixOf({ model_type }: ModelConfig): string {
  return `${model_type.replace("-", "_")}.`;
}

/** Sizes of layer `layer`. */
export function layerSizes(config: ModelConfig, layer: number): LayerSizes {
  const { num_attention_heads: all, head_dim, hidden_size } = config;
  const width = head_dim ?? hidden_size / of(all, layer);
  const own = config.per_layer_config?.[layer];
  const heads = own?.num_attention_heads ?? of(all, layer);
  return {
    heads,
    width,
    units: own?.intermediate_size ?? of(config.intermediate_size, layer),
    allHeads: hidden_size / width,
    remaining: config.remaining_heads?.[layer] ?? Array.from({ length: heads }, (_, h) => h),
  };
}

/** Whether layer `layer` has attention and a feed-forward network. */
export function hasSublayers(
  config: ModelConfig,
  layer: number,
): { attention: boolean; feedForward: boolean } {
  const { use_attention, use_feed_forward, per_layer_config } = config;
  const skip = per_layer_config?.[layer]?.skip ?? [];
  return {
    attention: (use_attention?.[layer] ?? true) && !skip.includes("attention"),
    feedForward: (use_feed_forward?.[layer] ?? true) && !skip.includes("mlp"),
  };
}

/** Valid frames of utterances of the given lengths in samples. */
export function frameLengths(config: ModelConfig, samples: readonly number[]): number[] {
  return samples.map((length) =>
    config.conv_kernel.reduce(
      (n, kernel, i) => Math.max(0, Math.floor((n - kernel) / config.conv_stride[i]!) + 1),
      length,
    )
  );
}
