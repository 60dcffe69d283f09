import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import { encodeConfig } from "../../model/config_encode.ts";
import { base, text } from "./config_files.ts";

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
  assertEquals([json.num_attention_heads, json.head_dim, json.intermediate_size], [3, undefined, 5]);
  assertEquals(json.per_layer_config, { 1: { num_attention_heads: 0 }, 2: { num_attention_heads: 1 } });
  assertEquals(json.auto_map.AutoModel, "modeling_espalier.Wav2Vec2Model");
  assertEquals([json.id2label, json.label2id], [{ 0: "on", 1: "off" }, { on: 0, off: 1 }]);
  const { source: _, ...again } = parseConfig(written);
  const { source: __, ...expected } = compact;
  assertEquals(again, expected);
  const uneven = JSON.parse(encodeConfig({ ...config, intermediate_size: [1, 40, 3] }));
  assertEquals([uneven.num_attention_heads, uneven.intermediate_size], [3, 40]);
  assertEquals(uneven.per_layer_config, { 0: { intermediate_size: 1 }, 2: { intermediate_size: 3 } });
});

Deno.test("lists with an entry per layer, as earlier versions wrote, become per_layer_config", () => {
  const { per_layer_config: _, ...fields } = JSON.parse(base);
  const lists = { ...fields, num_attention_heads: [3, 0, 1], head_dim: 8, intermediate_size: [5, 0, 7] };
  const config = parseConfig(JSON.stringify(lists));
  const json = JSON.parse(encodeConfig({ ...config, hidden_dropout: 0.5 }));
  assertEquals([json.num_attention_heads, json.intermediate_size, json.head_dim], [3, 7, undefined]);
  assertEquals(json.per_layer_config, {
    0: { intermediate_size: 5 },
    1: { num_attention_heads: 0, intermediate_size: 0 },
    2: { num_attention_heads: 1 },
  });
});

Deno.test("absent sub-layers are skipped, and a model of stock sizes loses auto_map", () => {
  const config = parseConfig(base);
  const compact = {
    ...config,
    num_attention_heads: [0, 3, 3],
    use_attention: [false, true, true],
    intermediate_size: [40, 40, 0],
    use_feed_forward: [true, true, false],
  };
  const written = encodeConfig(compact);
  assertEquals(JSON.parse(written).per_layer_config, {
    0: { num_attention_heads: 0, skip: ["attention"] },
    2: { intermediate_size: 0, skip: ["mlp"] },
  });
  const { source: _, ...again } = parseConfig(written);
  const { source: __, ...expected } = compact;
  assertEquals(again, expected);
  const dense = JSON.parse(encodeConfig({ ...config, source: written }));
  assertEquals([dense.per_layer_config, dense.auto_map], [undefined, undefined]);
});
