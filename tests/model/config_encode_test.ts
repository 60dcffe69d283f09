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
  assertEquals([json.num_attention_heads, json.head_dim, json.intermediate_size], [[3, 0, 1], 8, 5]);
  assertEquals([json.id2label, json.label2id], [{ 0: "on", 1: "off" }, { on: 0, off: 1 }]);
  const { source: _, ...again } = parseConfig(written);
  const { source: __, ...expected } = compact;
  assertEquals(again, expected);
  assertEquals(JSON.parse(encodeConfig({ ...config, intermediate_size: [1, 2, 3] })).head_dim, undefined);
});
