import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { headSizeOf, headsOf, parseConfig, unitsOf } from "../../model/config.ts";
import { encodeConfig } from "../../model/config_encode.ts";
import { costsOf } from "../../model/costs.ts";
import { headOf, parameterSpecs } from "../../model/parameter_specs.ts";
import { philox } from "../oracle/uniform.ts";

const text = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
const base = text("tests/testdata/base/config.json");

type Json = Record<string, unknown>;

/** The tiny base model's config with other fields. */
const changed = (fields: Json, from = base) => JSON.stringify({ ...JSON.parse(from), ...fields });

Deno.test("parseConfig reads the fields of config.json, with sizes per layer", () => {
  const config = parseConfig(base);
  assertEquals(config.model_type, "wav2vec2");
  assertEquals(config.feat_extract_norm, "group");
  assertEquals(config.num_attention_heads, [3, 3, 3]);
  assertEquals(config.intermediate_size, [40, 40, 40]);
  assertEquals([headsOf(config, 2), unitsOf(config, 2), headSizeOf(config)], [3, 40, 8]);
  assertEquals([config.conv_bias, config.do_stable_layer_norm], [false, false]);
  assertEquals(config.remaining_heads, null);
  const large = parseConfig(text("tests/testdata/large/config.json"));
  assertEquals([large.conv_bias, large.do_stable_layer_norm, large.feat_extract_norm], [true, true, "layer"]);
});

Deno.test("parseConfig uses the defaults of transformers for fields that are missing or null", () => {
  const { conv_bias: _, layer_norm_eps: __, ...rest } = JSON.parse(base);
  const config = parseConfig(JSON.stringify({ ...rest, vocab_size: null, head_dim: null }));
  assertEquals([config.conv_bias, config.layer_norm_eps, config.vocab_size], [false, 1e-5, 32]);
  assertEquals([config.mask_time_prob, config.feat_proj_layer_norm, config.num_buckets], [0.05, true, 320]);
  assertEquals(config.id2label, ["LABEL_0", "LABEL_1"]);
  assertEquals(parseConfig(changed({ num_labels: 3 })).id2label, ["LABEL_0", "LABEL_1", "LABEL_2"]);
  assertEquals(parseConfig(changed({ id2label: { 1: "off", 0: "on" } })).id2label, ["on", "off"]);
});

Deno.test("parseConfig reads compact models", () => {
  const heads = { num_attention_heads: [3, 0, 1], head_dim: 8, intermediate_size: [0, 7, 40] };
  const config = parseConfig(changed(heads));
  assertEquals([config.num_attention_heads, config.intermediate_size], [[3, 0, 1], [0, 7, 40]]);
  const wavlm = changed({ ...heads, model_type: "wavlm", remaining_heads: [[0, 1, 2], [], [2]] });
  assertEquals(parseConfig(wavlm).remaining_heads, [[0, 1, 2], [], [2]]);
  assertEquals(parseConfig(changed({ model_type: "wavlm" })).remaining_heads?.[1], [0, 1, 2]);
  assertEquals(
    parseConfig(changed({ model_type: "hubert", feat_proj_layer_norm: false })).feat_proj_layer_norm,
    false,
  );
});

Deno.test("encodeConfig returns the source text of an unchanged config", () => {
  for (const source of [base, text("recipes/configs/wavlm-base.json")]) {
    assertEquals(encodeConfig({ ...parseConfig(source) }), source);
  }
});

Deno.test("encodeConfig keeps unknown fields, order and spelling, and writes sizes per layer", () => {
  const source = base.replace("{", '{\n "later": {"x": [1.50, 12345678901234567890]},');
  const config = parseConfig(source);
  const compact = {
    ...config,
    conv_dim: [8, 12, 16, 12, 16, 12, 19],
    num_attention_heads: [3, 0, 1],
    intermediate_size: [5, 5, 5],
    id2label: ["on", "off"],
  };
  const written = encodeConfig(compact);
  assert(
    written.startsWith('{\n "later": {\n  "x": [\n   1.50,\n   12345678901234567890\n  ]\n },\n "archi'),
    written,
  );
  assert(written.includes('"layer_norm_eps": 1e-05') && written.includes('"hidden_dropout": 0.0'), written);
  const json = JSON.parse(written);
  assertEquals([json.num_attention_heads, json.head_dim, json.intermediate_size], [[3, 0, 1], 8, 5]);
  assertEquals([json.id2label, json.label2id], [{ 0: "on", 1: "off" }, { on: 0, off: 1 }]);
  const { source: _, ...again } = parseConfig(written);
  const { source: __, ...expected } = compact;
  assertEquals(again, expected);
  assertEquals(JSON.parse(encodeConfig({ ...config, intermediate_size: [1, 2, 3] })).head_dim, undefined);
});

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
    'model_type must be "wav2vec2" or "hubert" or "wavlm": it is "bert"',
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
  ["adapters of layers", changed({ adapter_attn_dim: 16 }), RangeError, "adapter_attn_dim must be absent"],
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

Deno.test("parseConfig survives mutations", () => {
  const rounds = Number(Deno.env.get("FUZZ_ROUNDS") ?? 500);
  const files = ["tests/testdata/base/config.json", "recipes/configs/wavlm-base.json"].map(text);
  let read = 0;
  for (let round = 0; round < rounds; round++) {
    const mutant = mutated(files[round % 2]!, round);
    try {
      const config = parseConfig(mutant);
      read++;
      assertEquals(encodeConfig(config), mutant);
      const pruned = { ...config, intermediate_size: config.intermediate_size.map((_, j) => j % 3) };
      assertEquals(parseConfig(encodeConfig(pruned)).intermediate_size, pruned.intermediate_size);
      assert(parameterSpecs(config, headOf(config)).every(({ shape }) => shape.every(Number.isInteger)));
      assert(Number.isFinite(costsOf(config, 16000).macs));
    } catch (error) {
      assertInstanceOf(error, Error);
      assert([SyntaxError, TypeError, RangeError].some((type) => error.constructor === type), error.stack);
      assert(/^Cannot read config\.json as .+: /.test(error.message), error.stack);
      assertOneLine(error.message);
    }
  }
  assert(read > 0 && read < rounds, `${read} of ${rounds} were read`);
});

const VALUES = [
  "null",
  "-1",
  "0",
  "1e400",
  "0.5",
  "9007199254740993",
  '""',
  "[]",
  "[[]]",
  "{}",
  "true",
  "[1e9]",
];

/** Changes a text in one to three places: a value, a key, or some characters. */
function mutated(source: string, round: number): string {
  let at = 0;
  const random = (n: number) => philox([at++, round, 0, 0], [5, 7])[0]! % n;
  let mutant = source;
  for (let left = 1 + random(3); left > 0; left--) {
    const fields = [...mutant.matchAll(/"(\w+)": *("[^"]*"|[-\w.]+|\[[^\]]*\])/g)];
    const field = fields[random(Math.max(1, fields.length))];
    const i = random(mutant.length + 1);
    const value = VALUES[random(VALUES.length)]!;
    switch (random(5)) {
      case 0:
        if (field) mutant = mutant.replace(field[0], `"${field[1]}": ${value}`);
        break;
      case 1:
        if (field) mutant = mutant.replace(field[0], `"${field[1]}x": ${field[2]}`);
        break;
      case 2:
        mutant = mutant.slice(0, i) + mutant.slice(i + 1 + random(9));
        break;
      case 3:
        mutant = mutant.slice(0, i) + String.fromCharCode(random(0x2100)) + mutant.slice(i);
        break;
      default:
        mutant = mutant.slice(0, i) + value + mutant.slice(i);
    }
  }
  return mutant;
}

function assertOneLine(message: string): void {
  assert(/^[\x20-\x7e]{1,400}$/.test(message), message);
}
