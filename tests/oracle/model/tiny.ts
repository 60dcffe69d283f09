import { type Nd, randomNd } from "../nd.ts";
import type { ModelConfig } from "./config.ts";
import type { HeadKind } from "./random_weights.ts";

/** A small model of every kind, with the fields that its `config.json` would have. */
export type TinyModel = { config: ModelConfig; head: HeadKind };

const shared = {
  feat_extract_activation: "gelu",
  hidden_act: "gelu",
  conv_dim: [6, 10, 8, 12],
  conv_kernel: [10, 3, 3, 2],
  conv_stride: [5, 4, 3, 2],
  num_feat_extract_layers: 4,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 20,
  num_conv_pos_embeddings: 16,
  num_conv_pos_embedding_groups: 4,
  layer_norm_eps: 1e-5,
  vocab_size: 9,
  pad_token_id: 0,
  mask_time_prob: 0,
  mask_feature_prob: 0,
};
const group = { feat_extract_norm: "group", conv_bias: false, do_stable_layer_norm: false } as const;
const layer = { feat_extract_norm: "layer", conv_bias: false, do_stable_layer_norm: true } as const;
const wav2vec2 = { ...shared, model_type: "wav2vec2" } as const;
const hubert = { ...shared, model_type: "hubert", architectures: ["HubertForCTC"] } as const;
const wavlm = {
  ...shared,
  model_type: "wavlm",
  architectures: ["WavLMForCTC"],
  num_buckets: 12,
  max_bucket_distance: 15,
} as const;
const unispeech = { ...shared, model_type: "unispeech", architectures: ["UniSpeechForCTC"] } as const;
const unispeechSat = {
  ...shared,
  model_type: "unispeech-sat",
  architectures: ["UniSpeechSatForSequenceClassification"],
} as const;
const data2vec = {
  ...shared,
  model_type: "data2vec-audio",
  architectures: ["Data2VecAudioForCTC"],
  feat_extract_norm: "layer",
  do_stable_layer_norm: false,
  num_conv_pos_embeddings: 3,
  conv_pos_kernel_size: 5,
} as const;
const intents = {
  architectures: ["Wav2Vec2ForSequenceClassification"],
  classifier_proj_size: 10,
  num_labels: 5,
  use_weighted_layer_sum: false,
};
const compact = {
  conv_dim: [5, 7, 8, 11],
  num_hidden_layers: 4,
  num_attention_heads: [2, 0, 3, 1],
  intermediate_size: [13, 20, 0, 1],
  head_dim: 8,
};

const absent = {
  ...compact,
  num_attention_heads: [2, 0, 0, 1],
  intermediate_size: [13, 0, 0, 1],
  use_attention: [true, true, false, true],
  use_feed_forward: [true, false, true, true],
  feature_scale: true,
};

/** Small models of every family and head. */
export const TINY_MODELS = {
  "wav2vec2 base": { config: { ...wav2vec2, ...group, architectures: ["Wav2Vec2ForCTC"] }, head: "ctc" },
  "wav2vec2 large": {
    config: { ...wav2vec2, ...layer, conv_bias: true, architectures: ["Wav2Vec2ForCTC"] },
    head: "ctc",
  },
  "wav2vec2 intents": { config: { ...wav2vec2, ...group, ...intents }, head: "classification" },
  "wav2vec2 weighted intents": {
    config: { ...wav2vec2, ...group, ...intents, use_weighted_layer_sum: true },
    head: "classification",
  },
  "hubert large weighted intents": {
    config: {
      ...hubert,
      ...layer,
      ...intents,
      feat_proj_layer_norm: true,
      architectures: ["HubertForSequenceClassification"],
      use_weighted_layer_sum: true,
    },
    head: "classification",
  },
  "wav2vec2 headless": { config: { ...wav2vec2, ...layer, architectures: ["Wav2Vec2Model"] }, head: null },
  "wav2vec2 compact": {
    config: { ...wav2vec2, ...group, ...compact, architectures: ["Wav2Vec2ForCTC"] },
    head: "ctc",
  },
  "wav2vec2 compact large": {
    config: { ...wav2vec2, ...layer, ...compact, conv_bias: true, architectures: ["Wav2Vec2ForCTC"] },
    head: "ctc",
  },
  "hubert base": { config: { ...hubert, ...group, feat_proj_layer_norm: true }, head: "ctc" },
  "hubert large": { config: { ...hubert, ...layer, feat_proj_layer_norm: true }, head: "ctc" },
  "hubert without projection norm": {
    config: { ...hubert, ...group, feat_proj_layer_norm: false, num_conv_pos_embeddings: 9 },
    head: "ctc",
  },
  "hubert with batch norm": {
    config: { ...hubert, ...layer, feat_proj_layer_norm: true, conv_pos_batch_norm: true },
    head: "ctc",
  },
  "mms": {
    config: {
      ...wav2vec2,
      ...layer,
      conv_bias: true,
      adapter_attn_dim: 5,
      architectures: ["Wav2Vec2ForCTC"],
    },
    head: "ctc",
  },
  "wavlm base": { config: { ...wavlm, ...group }, head: "ctc" },
  "wavlm large": { config: { ...wavlm, ...layer }, head: "ctc" },
  "wavlm compact": {
    config: { ...wavlm, ...group, ...compact, remaining_heads: [[0, 2], [], [0, 1, 2], [1]] },
    head: "ctc",
  },
  "hubert with absent sub-layers": {
    config: { ...hubert, ...group, ...absent, feat_proj_layer_norm: true },
    head: "ctc",
  },
  "wavlm with absent sub-layers": {
    config: { ...wavlm, ...layer, ...absent, remaining_heads: [[0, 2], [], [], [1]] },
    head: "ctc",
  },
  "wavlm without attention in layer 0": {
    config: {
      ...wavlm,
      ...group,
      ...absent,
      num_attention_heads: [0, 3, 2, 1],
      use_attention: [false, true, true, true],
      remaining_heads: [[], [0, 1, 2], [0, 2], [1]],
    },
    head: "ctc",
  },
  "unispeech": { config: { ...unispeech, ...layer, conv_bias: true }, head: "ctc" },
  "unispeech-sat": { config: { ...intents, ...unispeechSat, ...group }, head: "classification" },
  "data2vec": { config: { ...data2vec, conv_bias: false }, head: "ctc" },
  "data2vec compact": {
    config: { ...data2vec, ...compact, conv_bias: true, conv_pos_kernel_size: 6 },
    head: "ctc",
  },
} satisfies Record<string, TinyModel>;

/** Valid samples of the utterances of {@linkcode tinySamples}. */
export const TINY_LENGTHS: readonly number[] = [2500, 1900];

/** Two utterances, the second zero-padded: [2, 2500]. */
export function tinySamples(seed: number): Nd {
  const samples = randomNd([TINY_LENGTHS.length, Math.max(...TINY_LENGTHS)], seed);
  const [, n] = samples.shape as [number, number];
  TINY_LENGTHS.forEach((length, i) => samples.data.fill(0, i * n + length, (i + 1) * n));
  return samples;
}
