// Configs that are refused: by the types of their fields, or since fields contradict each other.
import { assert, assertThrows } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import { assertOneLine, base, changed } from "./config_files.ts";

const REFUSED: [what: string, text: string, error: typeof Error, message: string][] = [
  ["invalid JSON", "{", SyntaxError, "it must be JSON: "],
  ["a list", "[]", SyntaxError, "it must be an object: []"],
  ["null", "null", SyntaxError, "it must be an object: null"],
  [
    "deep nesting",
    '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000),
    SyntaxError,
    "it must nest at most 64 levels",
  ],
  ["a missing type", "{}", TypeError, "model_type is needed: it is missing"],
  [
    "another type",
    changed({ model_type: "bert" }),
    RangeError,
    'model_type must be "wav2vec2" or "hubert" or "wavlm" or "unispeech" or "unispeech-sat" or "data2vec-audio": it is "bert"',
  ],
  ["an inherited type", changed({ model_type: "toString" }), RangeError, "model_type must be"],
  [
    "a missing size",
    changed({ hidden_size: undefined }),
    TypeError,
    "hidden_size is needed: it is missing",
  ],
  [
    "a size that is a string",
    changed({ hidden_size: "24" }),
    TypeError,
    'hidden_size must be a whole number: it is "24"',
  ],
  ["a size of 0", changed({ hidden_size: 0 }), RangeError, "hidden_size must be a whole number from 1 to"],
  [
    "a fractional size",
    changed({ vocab_size: 1.5 }),
    RangeError,
    "vocab_size must be a whole number from 1 to",
  ],
  ["a huge number of layers", changed({ num_hidden_layers: 1e9 }), RangeError, "num_hidden_layers must be"],
  [
    "infinity",
    base.replace('"hidden_size": 24', '"hidden_size": 1e400'),
    RangeError,
    "hidden_size must be a whole number from 1 to 1048576: it is Infinity",
  ],
  [
    "too few heads",
    changed({ num_attention_heads: [3, 3] }),
    RangeError,
    "num_attention_heads must have 3 entries: it has 2",
  ],
  [
    "a layer that the model lacks",
    changed({ per_layer_config: { 3: { num_attention_heads: 1 } } }),
    RangeError,
    'per_layer_config must name layers from 0 to 2: it names "3"',
  ],
  [
    "an unknown field of a layer",
    changed({ per_layer_config: { 1: { hidden_act: "relu" } } }),
    RangeError,
    'per_layer_config must have num_attention_heads, intermediate_size and skip (attention, mlp) only: layer 1 has hidden_act "relu"',
  ],
  [
    "an unknown sub-layer",
    changed({ per_layer_config: { 1: { skip: ["conv"] } } }),
    RangeError,
    "per_layer_config must have num_attention_heads, intermediate_size and skip (attention, mlp) only",
  ],
  [
    "more heads in a layer than in the model",
    changed({ per_layer_config: { 1: { num_attention_heads: 4 } } }),
    RangeError,
    "num_attention_heads must be at most 3",
  ],
  ["layers in a list", changed({ per_layer_config: [] }), TypeError, "per_layer_config must be an object"],
  ["negative heads", changed({ num_attention_heads: [3, -1, 3], head_dim: 8 }), RangeError, "from 0 to"],
  ["heads that do not divide", changed({ num_attention_heads: 5 }), RangeError, "must divide hidden_size 24"],
  [
    "a missing head size",
    changed({ num_attention_heads: [3, 2, 1] }),
    TypeError,
    "head_dim is needed: it is missing",
  ],
  ["a head size that does not divide", changed({ head_dim: 7 }), RangeError, "head_dim must divide"],
  [
    "more heads than fit",
    changed({ num_attention_heads: 4, head_dim: 8 }),
    RangeError,
    "num_attention_heads must be at most 3, hidden_size 24 / head_dim 8: it is 4",
  ],
  [
    "too few kernels",
    changed({ conv_kernel: [10, 3] }),
    RangeError,
    "conv_kernel must have 7 entries, as conv_dim has: it is [10,3]",
  ],
  ["a stride of 0", changed({ conv_stride: [5, 2, 2, 2, 2, 2, 0] }), RangeError, "conv_stride must be"],
  [
    "no convolutions",
    changed({ conv_dim: [] }),
    RangeError,
    "conv_dim must have an entry per convolution: it is []",
  ],
  ["one convolution as a number", changed({ conv_dim: 8 }), TypeError, "conv_dim must be a list: it is 8"],
  [
    "another number of convolutions",
    changed({ num_feat_extract_layers: 6 }),
    RangeError,
    "num_feat_extract_layers must be 7",
  ],
  [
    "groups that do not divide",
    changed({ num_conv_pos_embedding_groups: 5 }),
    RangeError,
    "num_conv_pos_embedding_groups must divide hidden_size 24: it is 5",
  ],
  [
    "another activation",
    changed({ hidden_act: "gelu_new" }),
    RangeError,
    'hidden_act must be "gelu", anything',
  ],
  ["another norm", changed({ feat_extract_norm: "batch" }), RangeError, 'must be "group" or "layer"'],
  ["a flag as a number", changed({ conv_bias: 1 }), TypeError, "conv_bias must be true or false: it is 1"],
  [
    "an adapter",
    changed({ add_adapter: true }),
    RangeError,
    "add_adapter must be false, anything else is not",
  ],
  [
    "adapters of width 0",
    changed({ adapter_attn_dim: 0, do_stable_layer_norm: true }),
    RangeError,
    "adapter_attn_dim must be",
  ],
  ["a batch norm", changed({ conv_pos_batch_norm: true }), RangeError, "conv_pos_batch_norm must be false"],
  ["another head", changed({ architectures: ["Wav2Vec2ForXVector"] }), RangeError, "architectures must be"],
  [
    "a padding id beyond the vocabulary",
    changed({ pad_token_id: 11 }),
    RangeError,
    "pad_token_id must be below vocab_size 11",
  ],
  [
    "a loss that is not reduced",
    changed({ ctc_loss_reduction: "none" }),
    RangeError,
    "ctc_loss_reduction must",
  ],
  [
    "a dropout above 1",
    changed({ hidden_dropout: 1.5 }),
    RangeError,
    "hidden_dropout must be a number from 0",
  ],
  ["an eps of 0", changed({ layer_norm_eps: 0 }), RangeError, "layer_norm_eps must be a number from 1e-30"],
  [
    "labels with a hole",
    changed({ id2label: { 0: "a", 2: "b" } }),
    TypeError,
    "id2label must have a label for every id from 0",
  ],
  [
    "fewer labels",
    changed({ id2label: { 0: "a" }, num_labels: 2 }),
    RangeError,
    "id2label must have 2 labels",
  ],
  ["labels in a list", changed({ id2label: ["a"] }), TypeError, "id2label must be an object"],
  [
    "heads kept without their indices",
    changed({ model_type: "wavlm", num_attention_heads: [2, 3, 3], head_dim: 8 }),
    RangeError,
    "remaining_heads must list the 2 heads kept in layer 0: it is missing",
  ],
  [
    "heads kept in descending order",
    changed({
      model_type: "wavlm",
      num_attention_heads: 2,
      head_dim: 8,
      remaining_heads: [[1, 0], [0, 1], [1, 2]],
    }),
    RangeError,
    "remaining_heads must be in ascending order and below 3: layer 0 has 1,0",
  ],
  [
    "a largest distance within the buckets of one distance each",
    changed({ model_type: "wavlm", max_bucket_distance: 80 }),
    RangeError,
    "max_bucket_distance must be above 80",
  ],
];

for (const [what, config, error, message] of REFUSED) {
  Deno.test(`parseConfig refuses ${what}`, () => {
    const thrown = assertThrows(() => parseConfig(config, "m/config.json"), error, message);
    assert(thrown.message.startsWith("Cannot read m/config.json as "), thrown.message);
    assertOneLine(thrown.message);
  });
}
