import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { toFloat32 } from "../../../model/checkpoint/safetensors.ts";
import { parseTorchFile } from "../../../model/checkpoint/torch_file.ts";
import { torchaudioConfig } from "../../../model/checkpoint/torchaudio_config.ts";
import { encodeCheckpoint, writeCheckpoint } from "../../../model/checkpoint/write.ts";
import { parseConfig } from "../../../model/config.ts";
import { encodeConfig } from "../../../model/config_encode.ts";
import { costsOf } from "../../../model/costs.ts";
import { loadModel } from "../../../model/inference/load_model.ts";
import { SpeechModel } from "../../../model/speech_model.ts";
import { requestGpu } from "../../../tensor/gpu.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { path } from "./checkpoint_files.ts";

const bytesOf = (name: string) => Deno.readFileSync(path(`torch/${name}`));

for (const name of ["dphubert.pth", "diarizen.bin"]) {
  Deno.test(`${name} computes what an independent model in float64 does, as a file, in a folder and rewritten`, async () => {
    const expected = parseTorchFile(bytesOf(name.replace(/\..*/, "_expected.bin")), "expected").tensors;
    const dir = await Deno.makeTempDir();
    using gpu = await requestGpu();
    try {
      await Deno.mkdir(`${dir}/given`);
      await Deno.writeFile(`${dir}/given/${name}`, bytesOf(name));
      const checkpoint = await readCheckpoint(`${dir}/given/${name}`);
      await writeCheckpoint(`${dir}/written`, checkpoint);
      for (const source of [`${dir}/given/${name}`, `${dir}/given`, `${dir}/written`]) {
        const read = await readCheckpoint(source);
        assertEquals(read.notes, []);
        assertEquals([...read.tensors], [...checkpoint.tensors]);
        using model = new SpeechModel(gpu, read);
        const observed = new Map<string, Tensor>();
        const samples = toFloat32(expected.get("samples")!);
        const { logits } = gpu.scope(() =>
          model.forward({ samples: gpu.tensor(samples, [1, samples.length]) }, {
            observe: (name, x) => void observed.set(name, x),
          })
        );
        const layers = read.config.num_hidden_layers;
        for (const [key, { shape, data }] of expected) {
          if (key === "samples") continue;
          const n = Number(key.replace("hidden.", ""));
          const tensor = key === "logits"
            ? logits!
            : observed.get(n === 0 ? "encoder_in" : n === layers ? "encoder_out" : `layer.${n - 1}`)!;
          assertEquals(tensor.shape, [1, ...shape], key);
          const reference = new Float64Array(data.slice().buffer);
          const found = await tensor.read();
          const largest = reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
          const error = reference.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
          assert(
            error <= 2e-5 * largest,
            `${source}, ${key}: off by ${error} where the largest is ${largest}`,
          );
        }
        assertEquals(logits !== null, expected.has("logits"));
        for (const x of observed.values()) x.dispose();
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("the config of DPHuBERT is written in Hugging Face's fields", async () => {
  const read = await readCheckpoint(path("torch/dphubert.pth"));
  const config = JSON.parse(encodeConfig(read.config));
  assertEquals(config.architectures, ["HubertForCTC"]);
  assertEquals([config.num_attention_heads, config.intermediate_size], [3, 13]);
  assertEquals(config.per_layer_config, {
    0: { num_attention_heads: 2 },
    1: { num_attention_heads: 0, intermediate_size: 7, skip: ["attention"] },
    2: { intermediate_size: 0, skip: ["mlp"] },
    3: { num_attention_heads: 1, intermediate_size: 1 },
  });
  assertEquals(config.conv_dim, [6, 5, 4, 7, 6, 5, 9]);
  assert(read.tensors.get("feature_extractor.dummy_weight")!.data.some((scale) => scale !== 1));
  assert(![...read.tensors.keys()].some((name) => /layers\.(1\.attention|2\.feed_forward)/.test(name)));
  const names = [
    ...(await import("../../../model/checkpoint/safetensors.ts")).parseSafetensors(
      encodeCheckpoint(read),
    ).tensors.keys(),
  ];
  assert(names.includes("hubert.feature_extractor.dummy_weight"), names.join());
  assert(names.every((name) => /^(hubert\.|lm_head\.)/.test(name)), names.join());
});

Deno.test("a file of DiariZen has its kept heads and preprocessing", async () => {
  using loaded = await loadModel(path("torch/diarizen.bin"));
  const { config } = loaded.model;
  assertEquals(config.model_type, "wavlm");
  assertEquals(config.remaining_heads, [[0, 2], [1], [], [0, 1, 2]]);
  assertEquals([loaded.preprocessor.do_normalize, loaded.preprocessor.return_attention_mask], [true, true]);
  using other = await loadModel(path("torch/dphubert.pth"), { gpu: loaded.model.gpu });
  assertEquals([other.preprocessor.do_normalize, other.preprocessor.return_attention_mask], [false, false]);
});

Deno.test("a folder with several files of PyTorch is refused", async () => {
  const files = { "a.pth": bytesOf("dphubert.pth"), "b.pth": bytesOf("dphubert.pth") };
  await assertRejects(
    () => readCheckpoint({ name: "m", files }),
    Error,
    "Cannot load m as its weights must be one file, or given by path: it has a.pth and b.pth",
  );
});

/** The config of dphubert.pth with changed fields. */
function changed(fields: Record<string, unknown>): Map<unknown, unknown> {
  const config = parseTorchFile(bytesOf("dphubert.pth"), "x").beside.get("config") as Map<unknown, unknown>;
  return new Map([...config, ...Object.entries(fields)]);
}

Deno.test("configs of torchaudio, with one size for all layers, are read", () => {
  const config = JSON.parse(
    torchaudioConfig(
      new Map(
        Object.entries({
          extractor_mode: "group_norm",
          extractor_conv_layer_config: null,
          extractor_conv_bias: false,
          encoder_embed_dim: 768,
          encoder_pos_conv_kernel: 128,
          encoder_pos_conv_groups: 16,
          encoder_num_layers: 12,
          encoder_num_heads: 12,
          encoder_ff_interm_features: 3072,
          encoder_layer_norm_first: false,
          aux_num_out: 32,
        }),
      ),
      "x.pt",
    )!.config,
  );
  assertEquals([config.num_attention_heads, config.head_dim, config.intermediate_size], [12, 64, 3072]);
  assertEquals(config.conv_dim, new Array(7).fill(512));
  assertEquals([config.vocab_size, config.use_attention], [32, undefined]);
});

Deno.test("a sub-layer that is not used has no heads and units, whatever the config lists for it", () => {
  const heads = changed({ encoder_num_heads: [2, 3, 3, 1], encoder_ff_interm_features: [13, 7, 9, 1] });
  const config = JSON.parse(torchaudioConfig(heads, "x.pth")!.config);
  assertEquals([config.num_attention_heads, config.intermediate_size], [[2, 0, 3, 1], [13, 7, 0, 1]]);
  const kept = changed({ encoder_remaining_heads: [[0, 2], [1], [0, 1, 2], [1]], encoder_num_heads: null });
  assertEquals(parseConfig(torchaudioConfig(kept, "x.pth")!.config).remaining_heads, [[0, 2], [], [0, 1, 2], [
    1,
  ]]);
});

Deno.test("a wrong config in a file is refused in one line, whatever it holds", () => {
  const circular: unknown[] = [];
  circular.push(circular);
  let wide: unknown = 1;
  for (let i = 0; i < 60; i++) wide = [wide, wide];
  for (
    const [fields, message] of [
      [{ encoder_num_layers: null }, "x.pth, config as encoder_num_layers is needed: it is missing"],
      [{ encoder_ff_interm_features: [1, 2] }, "encoder_ff_interm_features must have 4 entries: it has 2"],
      [
        { encoder_use_attention: [true, 1, true, true] },
        "encoder_use_attention must be a list of true and false",
      ],
      [{ extractor_mode: "batch_norm" }, 'extractor_mode must be "group_norm" or "layer_norm"'],
      [{ extractor_conv_layer_config: [[1, 2]] }, "extractor_conv_layer_config must have channels"],
      [{ extractor_conv_layer_config: circular }, "extractor_conv_layer_config must be"],
      [{ encoder_num_heads: circular }, "encoder_num_heads must have 4 entries"],
      [{ encoder_num_heads: wide }, "encoder_num_heads must"],
      [{ encoder_num_heads: 2n ** 70n }, "encoder_num_heads must be a whole number"],
      [{ encoder_head_dim: null, encoder_num_heads: [2, 1, 1, 1] }, "must be the same for every layer"],
    ] as const
  ) {
    const error = assertThrows(() => torchaudioConfig(changed(fields), "x.pth"), Error, message);
    assert(!error.message.includes("\n") && error.message.length < 400, error.message);
  }
  assertEquals(torchaudioConfig(new Map([["lr", 1]]), "x.pth"), null);
  assertEquals(torchaudioConfig(null, "x.pth"), null);
});

Deno.test("the widths that DiariZen publishes for 80 % sparsity give its published sparsity and MACs", () => {
  const channels = [90, 161, 173, 181, 351, 155, 137];
  const fields = changed({
    extractor_conv_layer_config: channels.map((n, i) => [n, i === 0 ? 10 : i < 5 ? 3 : 2, i === 0 ? 5 : 2]),
    encoder_embed_dim: 768,
    encoder_head_dim: null,
    encoder_pos_conv_kernel: 128,
    encoder_pos_conv_groups: 16,
    encoder_num_layers: 12,
    encoder_use_attention: Array.from({ length: 12 }, (_, j) => j !== 8 && j !== 9),
    encoder_use_feed_forward: new Array(12).fill(true),
    encoder_total_num_heads: new Array(12).fill(12),
    encoder_remaining_heads: [
      ...[[1, 6], [5, 7, 8], [0, 3, 9], [0, 1, 4, 8, 11], [6, 8], [0]],
      ...[[7, 8, 10, 11], [0, 1, 4, 8], [], [], [4, 7], [5]],
    ],
    encoder_num_buckets: 320,
    encoder_max_distance: 800,
    encoder_ff_interm_features: [666, 660, 649, 1080, 237, 299, 437, 573, 53, 80, 211, 334],
    aux_num_out: null,
  });
  const config = parseConfig(torchaudioConfig(fields, "x")!.config);
  const { parameters, macs } = costsOf({ ...config, feature_scale: true }, 16_000);
  // DiariZen's recipes/diar_ssl_pruning/README.md: 80 % of 94.4M parameters are removed, 1.1G MACs for 1 s are left.
  assertEquals([(1 - parameters / 94.4e6).toFixed(3), (macs / 1e9).toFixed(1)], ["0.800", "1.1"]);
});
