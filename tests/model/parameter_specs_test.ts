import { assertEquals } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import { costsOf, headCost } from "../../model/costs.ts";
import {
  headOf,
  isStatistic,
  MASK_EMBEDDING,
  parameterSpecs,
  publishedName,
  withHead,
} from "../../model/parameter_specs.ts";
import { parseSafetensors } from "../../model/checkpoint/safetensors.ts";

const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => parseConfig(Deno.readTextFileSync(file(path)), path);
const recipe = (name: string) => read(`recipes/configs/${name}.json`);

Deno.test("parameterSpecs lists the tensors of the reference models, in their order", () => {
  for (const name of ["base", "large"]) {
    const config = read(`tests/testdata/${name}/config.json`);
    const { tensors } = parseSafetensors(Deno.readFileSync(file(`tests/testdata/${name}/model.safetensors`)));
    const published = [...tensors].map(([name, { shape }]) => ({
      name: name.replace("parametrizations.weight.original0", "weight_g")
        .replace("parametrizations.weight.original1", "weight_v"),
      shape,
    }));
    const layout = parameterSpecs(config, headOf(config)).map(({ name, shape }) => ({
      name: publishedName(config, name),
      shape,
    }));
    assertEquals(layout, published);
  }
});

Deno.test("the sizes of every group of tensors add up to the parameters of its row of the costs", () => {
  const tiny = recipe("tiny-large");
  const wavlm = { ...recipe("tiny-base"), model_type: "wavlm" as const };
  const configs = [
    ...["wav2vec2-base", "hubert-base", "wavlm-base", "tiny-base", "tiny-large"].map(recipe),
    { ...tiny, feat_proj_layer_norm: false, mask_time_prob: 0 },
    { ...tiny, adapter_attn_dim: 6 },
    { ...tiny, model_type: "hubert" as const, conv_pos_batch_norm: true },
    { ...tiny, model_type: "data2vec-audio" as const, num_conv_pos_embeddings: 5 },
    {
      ...tiny,
      conv_dim: [5, 1, 32, 9, 7, 64, 11],
      num_attention_heads: [4, 0, 1, 2],
      intermediate_size: [0, 1, 2, 3],
    },
    { ...wavlm, num_attention_heads: [0, 1, 4, 2], remaining_heads: [[], [3], [0, 1, 2, 3], [0, 2]] },
  ];
  // What inference does not use, or what no step changes, is not counted.
  const isCounted = ({ name }: { name: string }) => !isStatistic(name) && name !== MASK_EMBEDDING;
  for (const config of configs) {
    const sizes = new Map<string, number>();
    for (const { group, shape } of parameterSpecs(config, "none").filter(isCounted)) {
      sizes.set(group, (sizes.get(group) ?? 0) + shape.reduce((size, n) => size * n, 1));
    }
    const costs = costsOf(config, 16000);
    assertEquals([...sizes], costs.rows.map(({ name, parameters }) => [name, parameters]));
    for (const head of ["ctc", "classify", "none"] as const) {
      const all = parameterSpecs(config, head).filter(isCounted).reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      );
      assertEquals(all, costs.parameters + headCost(config, head, 16000).parameters);
    }
  }
});

Deno.test("a layer without heads or units keeps only its output biases", () => {
  const config = {
    ...recipe("tiny-base"),
    num_attention_heads: [4, 0, 4, 4],
    intermediate_size: [9, 0, 9, 9],
  };
  const names = parameterSpecs(config, "none").map(({ name }) => name).filter((name) =>
    name.includes("layers.1.")
  );
  assertEquals(names.filter((name) => name.startsWith("encoder")), [
    "encoder.layers.1.attention.out_proj.bias",
    "encoder.layers.1.layer_norm.weight",
    "encoder.layers.1.layer_norm.bias",
    "encoder.layers.1.feed_forward.output_dense.bias",
    "encoder.layers.1.final_layer_norm.weight",
    "encoder.layers.1.final_layer_norm.bias",
  ]);
});

Deno.test("the head follows from the architecture", () => {
  const config = recipe("hubert-base");
  assertEquals(headOf(config), "none");
  assertEquals(withHead(config, "ctc").architectures, ["HubertForCTC"]);
  assertEquals(headOf(withHead(config, "ctc")), "ctc");
  assertEquals(headOf(withHead(recipe("wavlm-base"), "classify")), "classify");
  assertEquals(withHead(config, "none"), config);
  const sat = { ...config, model_type: "unispeech-sat" as const };
  assertEquals(withHead(sat, "ctc").architectures, ["UniSpeechSatForCTC"]);
  assertEquals(publishedName(sat, "encoder.layer_norm.bias"), "unispeech_sat.encoder.layer_norm.bias");
  assertEquals(publishedName(config, "lm_head.bias"), "lm_head.bias");
  assertEquals(publishedName(config, "encoder.layer_norm.bias"), "hubert.encoder.layer_norm.bias");
});
