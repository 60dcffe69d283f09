import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { headSizeOf, headsOf, parseConfig, unitsOf } from "../../model/config.ts";
import { encodeConfig } from "../../model/config_encode.ts";
import { costsOf } from "../../model/costs.ts";
import { headOf, parameterSpecs } from "../../model/parameter_specs.ts";
import { philox } from "../oracle/uniform.ts";
import { assertOneLine, base, changed, text } from "./config_files.ts";

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
