import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { uniformAt } from "../../random/philox.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { encodeCheckpoint } from "../../model/checkpoint/write.ts";
import { parseConfig } from "../../model/config.ts";
import { encodeConfig } from "../../model/config_encode.ts";
import { randomCheckpoint } from "../../model/random.ts";

const read = (name: string) =>
  parseConfig(Deno.readTextFileSync(new URL(`../../recipes/configs/${name}.json`, import.meta.url)), name);
const tiny = read("tiny-large");

Deno.test("random weights depend on seed and name alone", () => {
  const a = randomCheckpoint(tiny, 7).tensors;
  const b = randomCheckpoint({ ...tiny, conv_bias: false }, 7, "none").tensors;
  const other = randomCheckpoint(tiny, 8).tensors;
  const name = "encoder.layers.2.feed_forward.output_dense.weight";
  assertEquals(a.get(name), b.get(name));
  assert(a.get(name)!.data[0] !== other.get(name)!.data[0]);
  const stream = { seed: 7, purpose: `weights ${name}`, step: 0 };
  for (const i of [0, 1, 6, 1023]) {
    const expected = 0.02 * Math.sqrt(3) * (2 * uniformAt(i, stream) - 1);
    assertAlmostEquals(a.get(name)!.data[i]!, expected, 1e-8);
  }
});

Deno.test("random weights have the spread of an initialised model", () => {
  const { tensors } = randomCheckpoint(tiny, 1);
  const spread = (name: string) => {
    const { data } = tensors.get(name)!;
    return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
  };
  const near = (name: string, deviation: number) =>
    assertAlmostEquals(spread(name) / deviation, 1, 0.05, name);
  near("feature_extractor.conv_layers.5.conv.weight", Math.sqrt(2 / (64 * 2)));
  near("encoder.layers.0.attention.q_proj.weight", 0.02);
  near("encoder.pos_conv_embed.conv.weight_v", 2 * Math.sqrt(1 / (32 * 96)));
  near("feature_projection.projection.weight", Math.sqrt(1 / (3 * 96)));
  assertEquals([spread("encoder.layer_norm.weight"), spread("encoder.layer_norm.bias")], [1, 0]);
  const v = tensors.get("encoder.pos_conv_embed.conv.weight_v")!.data;
  let square = 0;
  for (let i = 5; i < v.length; i += 32) square += v[i]! ** 2;
  assertAlmostEquals(tensors.get("encoder.pos_conv_embed.conv.weight_g")!.data[5]!, Math.sqrt(square), 1e-6);
});

Deno.test("random models of every family and head, dense and compact, are read back", async () => {
  const compact = {
    ...tiny,
    conv_dim: [5, 1, 32, 9, 7, 64, 11],
    num_attention_heads: [4, 0, 1, 2],
    intermediate_size: [0, 1, 2, 3],
  };
  const small = { num_hidden_layers: 1, conv_dim: new Array<number>(7).fill(8), intermediate_size: [16] };
  const heads = { num_attention_heads: [12] };
  const wavlm = {
    ...read("wavlm-base"),
    ...small,
    ...heads,
    remaining_heads: [Array.from({ length: 12 }, (_, i) => i)],
  };
  const hubert = { ...read("hubert-base"), ...small, ...heads, feat_proj_layer_norm: false };
  const batchNormed = { ...hubert, conv_pos_batch_norm: true };
  const mms = { ...read("tiny-large"), adapter_attn_dim: 6 };
  const data2vec = {
    ...read("tiny-large"),
    model_type: "data2vec-audio" as const,
    num_conv_pos_embeddings: 2,
  };
  const stacked = { ...data2vec, do_stable_layer_norm: false };
  const families = [wavlm, hubert, batchNormed, mms, stacked, {
    ...tiny,
    model_type: "unispeech-sat" as const,
  }];
  for (const config of [tiny, compact, ...families]) {
    for (const head of ["ctc", "classify", "none"] as const) {
      const made = randomCheckpoint(config, 3, head);
      const files = {
        "config.json": new TextEncoder().encode(encodeConfig(made.config)),
        "model.safetensors": encodeCheckpoint(made),
      };
      const back = await readCheckpoint({ files });
      assertEquals([back.head, back.notes, [...back.tensors]], [head, [], [...made.tensors]]);
      assertEquals(encodeCheckpoint(back), files["model.safetensors"]);
    }
  }
});

Deno.test("random models have bounds", () => {
  assertThrows(
    () => randomCheckpoint({ ...tiny, vocab_size: 2 ** 30 }, 1),
    RangeError,
    "it must have fewer than 2147483648 parameters",
  );
  assertThrows(() => randomCheckpoint(tiny, -1), RangeError, "seed must be a whole number below 2^32");
});
