import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type UnitCounts, unitCounts } from "../../model/costs.ts";
import { headOf, parameterSpecs } from "../../model/parameter_specs.ts";
import { type Quantity, UnitCost } from "../../prune/cost.ts";
import { type UnitGroup, unitGroups, withCounts } from "../../prune/groups.ts";
import { dExpectedL0, expectedOpen } from "../../prune/hard_concrete.ts";
import { Fixtures } from "../fixtures.ts";
import { assertClose } from "../kernels/check_op.ts";
import { byGroup, configOf } from "./configs.ts";

/** The fixtures are float32 roundings of float64 results. */
const bound = { rtol: 1e-7, atol: 0 };

const FIXTURES: Record<string, [Quantity, number]> = {
  params_conv: ["conv", 0],
  params_rest: ["transformer", 0],
  macs_1s: ["macs", 16000],
  macs_10s: ["macs", 160000],
};

for (const family of ["base", "large"]) {
  Deno.test(`costs_${family}.safetensors holds`, () => {
    const file = new Fixtures(`costs_${family}.safetensors`);
    const config = configOf(family);
    const groups = unitGroups(config);
    const logAlpha = byGroup(file, groups, "log_alpha.");
    const units = withCounts(
      unitCounts(config),
      groups,
      groups.map(({ name }) => expectedOpen(logAlpha.get(name)!)),
    );
    for (const [name, [quantity, samples]] of Object.entries(FIXTURES)) {
      const cost = new UnitCost(config, quantity, samples);
      assertEquals([cost.dense], [...file.nd(`${name}.dense`).data]);
      assertClose(name, [cost.of(units)], file.nd(`${name}.expected`).data, bound);
      const slopes = cost.slopes(groups, units);
      groups.forEach((group, g) => {
        const gradient = logAlpha.get(group.name)!.map((a) => slopes[g]! * dExpectedL0(a));
        const expected = file.nd(`${name}.grad.${group.name}`).data;
        assertClose(`${name}.grad.${group.name}`, gradient, expected, bound);
      });
    }
    assertEquals(file.unread(), []);
  });
}

Deno.test("slopes at the dense wav2vec2-base give METHOD.md's MACs saved per parameter removed", () => {
  const config = configOf("wav2vec2-base");
  const groups = unitGroups(config);
  const units = unitCounts(config);
  const macs = new UnitCost(config, "macs", 160000).slopes(groups, units);
  const parameters = new UnitCost(config, "parameters", 160000).slopes(groups, units);
  const table = new Map(groups.map(({ name }, g) => [name, Math.round(macs[g]! / parameters[g]!)]));
  const conv = [16082, 11999, 5999, 2999, 1599, 749, 498];
  conv.forEach((expected, i) => assertEquals(table.get(`conv.${i}`), expected, `conv.${i}`));
  for (let layer = 0; layer < 12; layer++) {
    assertEquals([table.get(`heads.${layer}`), table.get(`ffn.${layer}`)], [660, 499]);
  }
  assertAlmostEquals(new UnitCost(config, "macs", 160000).dense / 1e9, 74.06, 5e-3);
  assertAlmostEquals(new UnitCost(config, "macs", 16000).dense / 1e9, 6.907, 5e-4);
});

/** Parameters of a model with whole units, counted tensor by tensor. */
function counted(config: ReturnType<typeof configOf>, { conv, heads, ffn }: UnitCounts): number {
  const compact = { ...config, conv_dim: conv, num_attention_heads: heads, intermediate_size: ffn };
  return parameterSpecs(compact, headOf(config))
    .filter(({ group }) => group !== "masked_spec_embed" && group !== "lm_head")
    .reduce((sum, { shape }) => sum + shape.reduce((size, n) => size * n, 1), 0);
}

for (const name of ["tiny-base", "tiny-large", "hubert-base", "wavlm-base"]) {
  Deno.test(`costs of whole units of ${name} are those of the compact model's tensors`, () => {
    const config = configOf(name);
    const groups = unitGroups(config);
    const cost = new UnitCost(config, "parameters", 16000);
    const [conv, transformer] = [new UnitCost(config, "conv", 0), new UnitCost(config, "transformer", 0)];
    const dense = unitCounts(config);
    assertEquals(cost.dense, counted(config, dense));
    for (const pick of [(g: UnitGroup) => g.least, (g: UnitGroup) => Math.ceil(g.units / 3)]) {
      const units = withCounts(unitCounts(config), groups, groups.map(pick));
      assertEquals(cost.of(units), counted(config, units));
      assertEquals(conv.of(units) + transformer.of(units), cost.of(units));
      assert(cost.removed(units) > 0.5);
    }
    // Linear in each count: the slope is what a unit less saves, anywhere.
    const units = withCounts(
      unitCounts(config),
      groups,
      groups.map(({ units }, g) => Math.ceil(units / (2 + g % 3))),
    );
    const slopes = cost.slopes(groups, units);
    groups.forEach(({ kind, layer }, g) => {
      const fewer = { ...units, [kind]: units[kind].with(layer, units[kind][layer]! - 1) };
      assertEquals(counted(config, units) - counted(config, fewer), slopes[g]);
    });
  });
}
