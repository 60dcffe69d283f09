import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import {
  convFrames,
  type CostOptions,
  costsOf,
  headCost,
  type UnitCounts,
  unitCounts,
} from "../../model/costs.ts";
import { isStatistic, parameterSpecs } from "../../model/parameter_specs.ts";
import { Fixtures } from "../fixtures.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";

const read = (path: string) =>
  parseConfig(Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url)), path);
const base = read("recipes/configs/wav2vec2-base.json");
/** As transformers counts, without the mask embedding. */
const PUBLISHED = 94_371_712 - 768;

Deno.test("wav2vec2-base has the published costs", () => {
  const short = costsOf(base, 16000);
  const long = costsOf(base, 160000);
  assertEquals([short.parameters, long.parameters], [PUBLISHED, PUBLISHED]);
  assertEquals([short.macs, long.macs], [6_906_655_744, 74_061_804_544]);
  for (const { rows, parameters, macs } of [short, long]) {
    assertEquals(rows.reduce((sum, row) => sum + row.parameters, 0), parameters);
    assertEquals(rows.reduce((sum, row) => sum + row.macs, 0), macs);
  }
  const share = (part: string) =>
    long.rows.filter(({ name }) => name.includes(part)).reduce((sum, row) => sum + row.macs, 0) / long.macs;
  const shares = ["feature_extractor", "pos_conv", "attention", "feed_forward"].map(share);
  assertEquals(shares.map((part) => Math.round(100 * part)), [33, 3, 25, 38]);
  assertEquals(headCost(base, "ctc", 16000), { parameters: 769 * 32, macs: 49 * 768 * 32 });
});

Deno.test("HuBERT costs the same, WavLM adds its position bias", () => {
  assertEquals(costsOf(read("recipes/configs/hubert-base.json"), 16000).parameters, PUBLISHED);
  const wavlm = costsOf(read("recipes/configs/wavlm-base.json"), 16000).parameters;
  assertEquals(wavlm - PUBLISHED, 12 * (8 * 64 + 8 + 12) + 320 * 12);
});

Deno.test("frames follow from the convolutions and are never negative", () => {
  assertEquals(convFrames(base, 16000), [3199, 1599, 799, 399, 199, 99, 49]);
  assertEquals(convFrames(base, 400).at(-1), 1);
  assertEquals(convFrames(base, 399).at(-1), 0);
  assertEquals(costsOf(base, 0).macs, 0);
});

Deno.test("MACs saved per parameter agree with the check values of the method", () => {
  const dense = unitCounts(base);
  const cost = (options: CostOptions) => costsOf(base, 160000, options);
  // Costs are linear in the units of one layer, so that a difference is the derivative.
  const saved = (kind: keyof UnitCounts, layer: number) => {
    const units = { ...dense, [kind]: dense[kind].map((n, i) => n - (i === layer ? 1 : 0)) };
    const less = cost({ units });
    return Math.round((cost({}).macs - less.macs) / (cost({}).parameters - less.parameters));
  };
  assertEquals(
    dense.conv.map((_, i) => saved("conv", i)),
    [16_082, 11_999, 5_999, 2_999, 1_599, 749, 498],
  );
  assertEquals([saved("heads", 3), saved("ffn", 3)], [660, 499]);
});

for (const family of ["base", "large"]) {
  Deno.test(`costs of the tiny ${family} model, dense and expected, are those of the reference`, () => {
    const config = read(`tests/testdata/${family}/config.json`);
    const file = new Fixtures(`costs_${family}.safetensors`);
    const open = (name: string) =>
      file.nd(`log_alpha.${name}`).data.reduce(
        (sum, a) => sum + 1 / (1 + Math.exp(-a - 2 / 3 * Math.log(11))),
        0,
      );
    const expected: UnitCounts = {
      conv: config.conv_dim.map((_, i) => open(`conv.${i}`)),
      heads: config.num_attention_heads.map((_, j) => open(`heads.${j}`)),
      ffn: config.intermediate_size.map((_, j) => open(`ffn.${j}`)),
    };
    for (const [kind, units] of [["dense", unitCounts(config)], ["expected", expected]] as const) {
      const [short, long] = [16000, 160000].map((samples) => costsOf(config, samples, { units })) as [
        ReturnType<typeof costsOf>,
        ReturnType<typeof costsOf>,
      ];
      const conv = short.rows.filter(({ name }) => name.startsWith("feature_extractor"))
        .reduce((sum, row) => sum + row.parameters, 0);
      const found = {
        params_conv: conv,
        params_rest: short.parameters - conv,
        macs_1s: short.macs,
        macs_10s: long.macs,
      };
      for (const [name, value] of Object.entries(found)) {
        const reference = file.nd(`${name}.${kind}`).data[0]!;
        assertAlmostEquals(value, reference, 1e-6 * reference, `${name}.${kind}`);
      }
    }
  });
}

Deno.test("the costs of a compact config follow from its units", () => {
  const compact = { ...base, num_attention_heads: base.num_attention_heads.map((n, j) => j === 5 ? 0 : n) };
  const [dense, less] = [costsOf(base, 16000), costsOf(compact, 16000)];
  assertEquals(dense.parameters - less.parameters, 3 * 769 * 768 + 768 * 768);
  const row = less.rows.find(({ name }) => name === "encoder.layers.5.attention");
  assertEquals(row, { name: "encoder.layers.5.attention", parameters: 768 + 2 * 768, macs: 0, units: 0 });
  assert(less.macs < dense.macs);
});

Deno.test("an absent sub-layer costs its norm, a scale one parameter per channel", () => {
  const zero = { ...base, num_attention_heads: base.num_attention_heads.with(5, 0) };
  const absent = { ...zero, use_attention: base.use_attention.with(5, false) };
  assertEquals(costsOf(zero, 16000).parameters - costsOf(absent, 16000).parameters, 768);
  const scaled = costsOf({ ...base, feature_scale: true }, 16000);
  assertEquals(scaled.parameters - costsOf(base, 16000).parameters, 512);
  assertEquals(scaled.macs, costsOf(base, 16000).macs);
});

Deno.test("parameters of a config are those of its tensors, with absent sub-layers and a scale", () => {
  for (const { config: fields, head } of Object.values(TINY_MODELS)) {
    const config = parseConfig(JSON.stringify(fields));
    const specs = parameterSpecs(config, "none").filter(({ name }) => !isStatistic(name));
    const count = specs.reduce((sum, { shape }) => sum + shape.reduce((size, n) => size * n, 1), 0);
    assertEquals(costsOf(config, 16000).parameters, count, `${config.model_type} ${head}`);
  }
});
