import { assert, assertEquals } from "@std/assert";
import { type Checkpoint, readCheckpoint } from "../../../model/checkpoint/read.ts";
import { encodeConfig } from "../../../model/config_encode.ts";
import { encodeCheckpoint, writeCheckpoint } from "../../../model/checkpoint/write.ts";
import { parseConfig } from "../../../model/config.ts";
import { parameterSpecs } from "../../../model/parameter_specs.ts";
import { parseSafetensors } from "../../../model/checkpoint/safetensors.ts";
import {
  bytesOf,
  configBytes,
  type Entries,
  f32,
  files,
  original,
  path,
  renamed,
  shards,
} from "./checkpoint_files.ts";

const valuesOf = ({ tensors }: Checkpoint) => [...tensors].map(([name, { data }]) => [name, [...data]]);

for (const family of ["base", "large"]) {
  Deno.test(`the ${family} model is read and written back byte for byte`, async () => {
    const checkpoint = await readCheckpoint(path(family));
    const { config, head, tensors, notes } = checkpoint;
    assertEquals([head, notes], ["ctc", []]);
    assertEquals([...tensors.keys()], parameterSpecs(config, head).map(({ name }) => name));
    for (const { name, shape } of parameterSpecs(config, head)) assertEquals(tensors.get(name)!.shape, shape);
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/vocab.json`, "{}");
      await writeCheckpoint(`${folder}/`, checkpoint);
      assertEquals(await Deno.readFile(`${folder}/model.safetensors`), original(family));
      assertEquals(await Deno.readFile(`${folder}/config.json`), configBytes(family));
      const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      assertEquals(names, ["config.json", "model.safetensors", "vocab.json"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("weights of an unaligned file are copied", async () => {
  const bytes = original("base");
  const header = new DataView(bytes.buffer).getBigUint64(0, true);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes.subarray(0, 8 + Number(header)));
  shifted[8 + Number(header)] = 0x20;
  shifted.set(bytes.subarray(8 + Number(header)), 9 + Number(header));
  new DataView(shifted.buffer).setBigUint64(0, header + 1n, true);
  const read = await readCheckpoint({
    files: { "config.json": configBytes("base"), "model.safetensors": shifted },
  });
  assertEquals(valuesOf(read), valuesOf(await readCheckpoint(path("base"))));
  assertEquals(encodeCheckpoint(read), shifted);
});

Deno.test("any prefix and naming of weight norm is read, and written back", async () => {
  const expected = valuesOf(await readCheckpoint(path("base")));
  const spellings = [
    (name: string) => name.replace("wav2vec2.", ""),
    (name: string) => name.replace("wav2vec2.", "hubert."),
    (name: string) =>
      name.replace("weight_g", "parametrizations.weight.original0")
        .replace("weight_v", "parametrizations.weight.original1"),
  ];
  for (const spelling of spellings) {
    const source = files((entries) => renamed(entries, spelling));
    const read = await readCheckpoint(source);
    assertEquals(valuesOf(read), expected);
    assertEquals(encodeCheckpoint(read), source.files["model.safetensors"]);
  }
});

Deno.test("F16, BF16 and F64 are read, and written as F32", async () => {
  const key = "wav2vec2.encoder.layer_norm.bias";
  const values = Float32Array.from({ length: 24 }, (_, i) => i / 8 - 1);
  const stored = {
    F16: new Uint8Array(Float16Array.from(values).buffer),
    BF16: new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer),
    F64: new Uint8Array(Float64Array.from(values).buffer),
  };
  for (const [dtype, data] of Object.entries(stored)) {
    const entry = { dtype: dtype as "F16", shape: [24], data };
    const read = await readCheckpoint(files((entries) => void entries.set(key, entry)));
    assertEquals(read.tensors.get("encoder.layer_norm.bias")?.data, values);
    const written = parseSafetensors(encodeCheckpoint(read));
    assertEquals(written.tensors.get(key)?.dtype, "F32");
    assertEquals([...written.tensors.keys()], [...parseSafetensors(original("base")).tensors.keys()]);
  }
});

Deno.test("shards are read, and written as one file", async () => {
  const read = await readCheckpoint({ files: shards() });
  assertEquals(valuesOf(read), valuesOf(await readCheckpoint(path("base"))));
  assertEquals(encodeCheckpoint(read), original("base"));
});

/** Name of a tensor in torchaudio. */
const torchaudio = (name: string) =>
  name.replace("wav2vec2.", "").replace(/^encoder\./, "encoder.transformer.")
    .replace(/^feature_projection\./, "encoder.feature_projection.").replace(/^lm_head\./, "aux.")
    .replace("masked_spec_embed", "mask_generator.mask_embedding");

Deno.test("names of torchaudio and DPHuBERT are read with a given config, and written back", async () => {
  const { files: { "model.safetensors": bytes } } = files((entries) => {
    const all = renamed(entries, torchaudio);
    all.set("feature_extractor.dummy_weight", f32([20], new Float32Array(20).fill(1)));
    all.set("feature_extractor.conv_layers.0.hard_concrete.log_alpha", f32([8]));
    all.set("encoder.transformer.layers.0.attention.hard_concrete_for_heads.log_alpha", f32([3]));
    return all;
  });
  const config = parseConfig(new TextDecoder().decode(configBytes("base")));
  const read = await readCheckpoint({ files: { "model.safetensors": bytes! } }, { config });
  assertEquals(valuesOf(read), valuesOf(await readCheckpoint(path("base"))));
  assertEquals(read.notes, [
    "Unused tensors (scales that are all 1): feature_extractor.dummy_weight",
    "Unused tensors (gates of unfinished pruning, taken as open): " +
    "feature_extractor.conv_layers.0.hard_concrete.log_alpha, " +
    "encoder.transformer.layers.0.attention.hard_concrete_for_heads.log_alpha",
  ]);
  assertEquals(encodeCheckpoint(read), bytes);
});

Deno.test("torchaudio's WavLM has query, key and value in one tensor", async () => {
  const config = {
    model_type: "wavlm",
    num_attention_heads: [2, 3, 3],
    head_dim: 8,
    remaining_heads: [[0, 2], [0, 1, 2], [0, 1, 2]],
  };
  const attention = "encoder.transformer.layers.0.attention";
  const rows = Float32Array.from({ length: 48 * 24 }, (_, i) => i);
  const source = files((entries) => {
    const all: Entries = new Map();
    for (const [name, entry] of renamed(entries, torchaudio)) {
      if (!name.startsWith(`${attention}.`)) all.set(name, entry);
    }
    all.set(`${attention}.attention.in_proj_weight`, f32([48, 24], rows));
    all.set(`${attention}.attention.in_proj_bias`, f32([48], rows.subarray(0, 48)));
    all.set(`${attention}.attention.out_proj.weight`, f32([24, 16]));
    all.set(`${attention}.attention.out_proj.bias`, f32([24]));
    all.set(`${attention}.rel_attn_embed.weight`, f32([320, 3]));
    for (const j of [0, 1, 2]) {
      const module = attention.replace("0", `${j}`);
      all.set(`${module}.gru_rel_pos_const`, f32([1, 3, 1, 1]));
      all.set(`${module}.gru_rel_pos_linear.weight`, f32([8, 8]));
      all.set(`${module}.gru_rel_pos_linear.bias`, f32([8]));
    }
    return all;
  }, config);
  // The fused tensors must have 3 · 2 heads · 8 rows.
  const read = await readCheckpoint(source);
  const of = (part: string) => read.tensors.get(`encoder.layers.0.attention.${part}`)!;
  assertEquals(of("q_proj.weight"), { shape: [16, 24], data: rows.subarray(0, 384) });
  assertEquals(of("v_proj.weight"), { shape: [16, 24], data: rows.subarray(768) });
  assertEquals(of("k_proj.bias"), { shape: [16], data: rows.subarray(16, 32) });
  assertEquals(encodeCheckpoint(read), source.files["model.safetensors"]);
});

Deno.test("unused tensors of pre-training are noted, and written back", async () => {
  const source = files((entries) => {
    for (
      const name of ["quantizer.codevectors", "project_hid.weight", "project_hid.bias", "project_q.bias"]
    ) {
      entries.set(name, f32([2]));
    }
    entries.set("quantizer.steps", { dtype: "I64", shape: [1], data: new Uint8Array(8) });
    entries.set("ema.decay", f32([1]));
  });
  const read = await readCheckpoint(source);
  assertEquals(read.notes, [
    "Unused tensors (pre-training): quantizer.codevectors, project_hid.weight, project_hid.bias and 2 more",
    "Unused tensors (not part of the model): ema.decay",
  ]);
  assertEquals(valuesOf(read), valuesOf(await readCheckpoint(path("base"))));
  assertEquals(encodeCheckpoint(read), source.files["model.safetensors"]);
});

Deno.test("conv_bias follows the tensors", async () => {
  const read = await readCheckpoint(files(() => {}, { conv_bias: true }));
  assertEquals(read.config.conv_bias, false);
  assertEquals(read.notes, ["conv_bias is true in config.json, but the weights lack biases"]);
  const [one, other] = ["base", "large"].map(path);
  const config = parseConfig(
    Deno.readTextFileSync(`${other}/config.json`).replace('"conv_bias": true', '"conv_bias": false'),
  );
  assertEquals((await readCheckpoint(`${other}/model.safetensors`, { config })).config.conv_bias, true);
  assertEquals((await readCheckpoint(`${one}/model.safetensors`)).config.conv_bias, false);
});

Deno.test("the head follows the tensors, and the mask embedding may be missing", async () => {
  const bare = await readCheckpoint(files((entries) => {
    entries.delete("lm_head.weight");
    entries.delete("lm_head.bias");
    entries.delete("wav2vec2.masked_spec_embed");
  }, { architectures: ["Wav2Vec2ForPreTraining"] }));
  assertEquals([bare.head, bare.tensors.has("masked_spec_embed")], ["none", false]);
  const classes = files((entries) => {
    entries.set("projector.weight", f32([256, 24]));
    entries.set("projector.bias", f32([256]));
    entries.set("classifier.weight", f32([2, 256]));
    entries.set("classifier.bias", f32([2]));
  }, { architectures: ["Wav2Vec2ForSequenceClassification"] });
  const { head, tensors, notes } = await readCheckpoint(classes);
  assertEquals([head, tensors.has("lm_head.bias"), notes.length], ["classify", false, 1]);
});

Deno.test("scales of the last convolution are read, written and read again", async () => {
  const scales = Float32Array.from({ length: 20 }, (_, i) => 0.5 + i / 20);
  const source = files((entries) =>
    void entries.set("wav2vec2.feature_extractor.dummy_weight", f32([20], scales))
  );
  const read = await readCheckpoint(source);
  assertEquals([read.config.feature_scale, read.notes], [true, []]);
  assertEquals(read.tensors.get("feature_extractor.dummy_weight")!.data, scales);
  const again = await readCheckpoint({
    files: { "config.json": bytesOf(encodeConfig(read.config)), "model.safetensors": encodeCheckpoint(read) },
  });
  assertEquals([again.config.feature_scale, [...again.tensors]], [true, [...read.tensors]]);
});

Deno.test("a sub-layer without units and tensors is absent", async () => {
  const config = { num_attention_heads: [3, 0, 3], head_dim: 8, intermediate_size: [40, 40, 0] };
  const gone = /layers\.(1\.attention|2\.feed_forward)\.(?!out)/;
  const read = await readCheckpoint(files((entries) => {
    for (const name of entries.keys()) if (gone.test(name)) entries.delete(name);
    entries.set("wav2vec2.encoder.layers.1.attention.out_proj.weight", f32([24, 0]));
    entries.delete("wav2vec2.encoder.layers.1.attention.out_proj.bias");
    entries.delete("wav2vec2.encoder.layers.2.feed_forward.output_dense.weight");
  }, config));
  assertEquals(read.config.use_attention, [true, false, true]);
  assertEquals(read.config.use_feed_forward, [true, true, true]);
  assert(!read.tensors.has("encoder.layers.1.attention.out_proj.bias"));
  assert(read.tensors.get("encoder.layers.2.feed_forward.output_dense.bias")!.data.some((x) => x !== 0));
  assertEquals(read.notes, [
    "encoder.layers.1.attention has no units and no tensors: the sub-layer is absent",
  ]);
  const written = JSON.parse(encodeConfig(read.config));
  assertEquals(written.per_layer_config, {
    1: { num_attention_heads: 0, skip: ["attention"] },
    2: { intermediate_size: 0 },
  });
});
