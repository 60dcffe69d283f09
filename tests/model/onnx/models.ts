// Tiny random models whose graphs are compared.
import type { Weight } from "../../../model/checkpoint/types.ts";
import { type HeadKind, type ModelConfig, parseConfig } from "../../../model/config.ts";
import { randomCheckpoint } from "../../../model/random.ts";
import type { HostModel } from "../../../model/speech_model.ts";
import { uniformAt } from "../../../random/philox.ts";

/** A model whose graph is compared. */
export interface TinyModel extends HostModel {
  readonly tensors: ReadonlyMap<string, Weight>;
  /** What it is, for the name of a test. */
  readonly name: string;
  /** Whether its preprocessing returns an attention mask. */
  readonly masked: boolean;
}

const TINY = {
  architectures: ["Wav2Vec2ForCTC"],
  model_type: "wav2vec2",
  feat_extract_norm: "group",
  conv_dim: [6, 5, 7, 6, 6, 6, 9],
  conv_kernel: [10, 3, 3, 3, 3, 2, 2],
  conv_stride: [5, 2, 2, 2, 2, 2, 2],
  hidden_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 20,
  num_conv_pos_embeddings: 8,
  num_conv_pos_embedding_groups: 4,
  do_stable_layer_norm: false,
  num_buckets: 16,
  max_bucket_distance: 12,
  vocab_size: 11,
  classifier_proj_size: 10,
  id2label: { "0": "a", "1": "b", "2": "c" },
};

const LARGE = { feat_extract_norm: "layer", conv_bias: true, do_stable_layer_norm: true };

/** Heads and units per layer, one layer without heads, one without units and one with neither; a convolution of one channel. */
const COMPACT = {
  conv_dim: [3, 1, 7, 4, 6, 2, 5],
  num_hidden_layers: 4,
  num_attention_heads: [2, 0, 3, 0],
  head_dim: 8,
  intermediate_size: [20, 7, 0, 0],
};

const KEPT = { remaining_heads: [[0, 2], [], [0, 1, 2], []] };

/** Sub-layers that are absent, beside ones without units. */
const ABSENT = {
  use_attention: [true, true, true, false],
  use_feed_forward: [true, true, false, true],
  feature_scale: true,
};

const CASES: readonly [name: string, fields: Record<string, unknown>, head: HeadKind, masked: boolean][] = [
  ["wav2vec2", {}, "ctc", false],
  ["wav2vec2, compact", COMPACT, "ctc", false],
  ["wav2vec2, layer norm, with a mask", LARGE, "ctc", true],
  ["wav2vec2, layer norm, with a mask, compact", { ...LARGE, ...COMPACT }, "classify", true],
  ["HuBERT", { model_type: "hubert", feat_proj_layer_norm: false }, "classify", false],
  [
    "HuBERT, an odd kernel, compact",
    {
      ...COMPACT,
      model_type: "hubert",
      num_conv_pos_embeddings: 7,
    },
    "ctc",
    false,
  ],
  ["WavLM", { model_type: "wavlm" }, "ctc", false],
  ["WavLM, compact", { model_type: "wavlm", ...COMPACT, ...KEPT }, "classify", true],
  [
    "WavLM, layer norm, with a mask, compact",
    { model_type: "wavlm", ...LARGE, ...COMPACT, ...KEPT },
    "ctc",
    true,
  ],
  ["HuBERT, absent sub-layers", { ...COMPACT, ...ABSENT, model_type: "hubert" }, "ctc", false],
  [
    "WavLM, layer norm, absent sub-layers",
    { ...LARGE, ...COMPACT, ...KEPT, ...ABSENT, model_type: "wavlm" },
    "ctc",
    true,
  ],
  [
    "WavLM, no attention in layer 0",
    {
      ...COMPACT,
      ...ABSENT,
      model_type: "wavlm",
      num_attention_heads: [0, 2, 3, 0],
      remaining_heads: [[], [0, 2], [0, 1, 2], []],
      use_attention: [false, true, true, true],
    },
    "ctc",
    false,
  ],
  ["UniSpeech-SAT, layer norm", { model_type: "unispeech-sat", ...LARGE }, "ctc", false],
  [
    "HuBERT, batch norm, with a mask",
    { ...LARGE, model_type: "hubert", conv_pos_batch_norm: true },
    "ctc",
    true,
  ],
  [
    "data2vec, with a mask",
    { ...LARGE, model_type: "data2vec-audio", num_conv_pos_embeddings: 3, conv_pos_kernel_size: 5 },
    "ctc",
    true,
  ],
  [
    "data2vec, even kernels, compact",
    { ...COMPACT, model_type: "data2vec-audio", num_conv_pos_embeddings: 2, conv_pos_kernel_size: 6 },
    "classify",
    false,
  ],
  ["wav2vec2, a weighted sum of layers", { use_weighted_layer_sum: true }, "classify", false],
  [
    "WavLM, layer norm, a weighted sum of layers, with a mask",
    {
      ...LARGE,
      model_type: "wavlm",
      use_weighted_layer_sum: true,
    },
    "classify",
    true,
  ],
  ["MMS", { ...LARGE, adapter_attn_dim: 6 }, "ctc", true],
  ["MMS, compact", { ...LARGE, ...COMPACT, adapter_attn_dim: 6 }, "ctc", false],
];

/** The models: every family and head, dense and compact. */
export const tinyModels: readonly TinyModel[] = CASES.map(([name, fields, head, masked], seed) => {
  const config = parseConfig(JSON.stringify({ ...TINY, ...fields }));
  return { ...withVaried(config, seed, head), name, masked };
});

/** Random weights; biases and the weights of norms, which start at 0 and 1, vary too. */
function withVaried(config: ModelConfig, seed: number, head: HeadKind) {
  const checkpoint = randomCheckpoint(config, seed, head);
  for (const [name, { data }] of checkpoint.tensors) {
    const scale = /weight$/.test(name) && !/norm/.test(name) ? 4 : 1;
    const purpose = `vary ${name}`;
    data.forEach((value, i) =>
      data[i] = scale * value + 0.3 * (uniformAt(i, { seed, purpose, step: 0 }) - 0.5)
    );
  }
  return { config: checkpoint.config, head: checkpoint.head, tensors: checkpoint.tensors };
}
