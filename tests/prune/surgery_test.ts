import { assertEquals, assertThrows } from "@std/assert";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { parseConfig } from "../../model/config.ts";
import { encodeConfig } from "../../model/config_encode.ts";
import { withoutPrefix } from "../../model/families.ts";
import { parameterSpecs } from "../../model/parameter_specs.ts";
import type { Choice } from "../../prune/choose.ts";
import { compact, type SurgeryModel } from "../../prune/surgery.ts";
import { assertClose } from "../kernels/check_op.ts";
import { forwardModel } from "../oracle/model.ts";
import { cutModel } from "../oracle/model/cut.ts";
import { type Nd, nd } from "../oracle/nd.ts";
import { choiceOf, GATINGS, SMALL_MODELS, smallModel, someGates } from "./gated.ts";

/** The oracle's tensors with the last convolution's gates where our surgery puts them. */
function withGateInNorm(weights: ReadonlyMap<string, Nd>, gate: readonly number[]): Map<string, Nd> {
  const result = new Map(weights);
  const scale = (part: string, f: (z: number) => number) => {
    const [name, x] = [...weights].find(([name]) => name.endsWith(`feature_projection.${part}`))!;
    result.set(name, nd(x.shape, x.data.map((v, i) => v * f(gate[i % gate.length]!))));
  };
  scale("layer_norm.weight", (z) => z);
  scale("layer_norm.bias", (z) => z);
  scale("projection.weight", (z) => 1 / z);
  return result;
}

for (const name of SMALL_MODELS) {
  Deno.test(`surgery of ${name} agrees with the float64 one`, () => {
    const { fields, weights, model, samples, lengths } = smallModel(name);
    for (const [seed, gating] of GATINGS.entries()) {
      const gates = someGates(model, gating, seed + 1);
      const choice = choiceOf(gates);
      const small = compact(model, choice);

      // Config: that of the oracle, also after encoding and parsing.
      const expected = cutModel(fields, weights, gates);
      const read = parseConfig(encodeConfig(small.config));
      assertEquals({ ...read, source: "" }, { ...small.config, source: "" });
      const { conv_dim, num_attention_heads, intermediate_size, remaining_heads } = small.config;
      assertEquals([...conv_dim], expected.config.conv_dim);
      assertEquals([...num_attention_heads], expected.config.num_attention_heads as number[]);
      assertEquals([...intermediate_size], expected.config.intermediate_size as number[]);
      assertEquals(remaining_heads, expected.config.remaining_heads ?? null);

      // Tensors: those of the config's layout, with the oracle's values.
      const layout = parameterSpecs(small.config, small.head).map(({ name, shape }) => `${name} [${shape}]`);
      const renamed = (name: string) =>
        withoutPrefix(name).replace(
          /parametrizations\.weight\.original(.)/,
          (_, i) => i === "0" ? "weight_g" : "weight_v",
        );
      const found = [...small.tensors].map(([name, { shape }]) => `${renamed(name)} [${shape}]`);
      assertEquals(found.toSorted(), layout.toSorted());
      const normed = small.config.feat_proj_layer_norm;
      const last = choice.get(`conv.${conv_dim.length - 1}`)!.gates;
      const theirs = normed ? withGateInNorm(expected.weights, last) : expected.weights;
      assertEquals([...theirs].filter(([, x]) => x.data.length > 0).map(([name]) => name), [
        ...small.tensors.keys(),
      ]);
      for (const [name, { shape, data }] of small.tensors) {
        assertEquals([...shape], theirs.get(name)!.shape, name);
        assertClose(name, data, theirs.get(name)!.data, { rtol: 1e-7, atol: 0 });
      }

      // Function: as the gated model's in float64, but for the rounding of folded weights.
      const ours = new Map(
        [...theirs].map(([name, x]) => [name, nd(x.shape, small.tensors.get(name)?.data ?? [])]),
      );
      const gated = forwardModel(fields, weights, samples, { lengths, gates });
      const cut = forwardModel(JSON.parse(encodeConfig(small.config)), ours, samples, { lengths });
      const act = "act.encoder_out";
      assertClose(gating, cut.acts.get(act)!.data, gated.acts.get(act)!.data, { rtol: 1e-6, atol: 0 });
    }
  });
}

/** The choice that keeps units of a choice. */
function composed(first: Choice, second: Choice): Choice {
  return new Map([...first].map(([name, { indices, gates }]) => {
    const then = second.get(name) ?? { indices: [], gates: [] };
    return [name, {
      indices: then.indices.map((i) => indices[i]!),
      gates: then.indices.map((i, n) => gates[i]! * then.gates[n]!),
    }];
  }));
}

for (const name of ["base", "large", "wavlm base", "hubert without projection norm"]) {
  Deno.test(`pruning ${name} twice is pruning it once by both`, () => {
    const { model } = smallModel(name);
    const first = choiceOf(someGates(model, "random", 5));
    const once = compact(model, first);
    const second = choiceOf(someGates(once, "whole sub-layers closed", 6));
    const twice = compact(once, second);
    const both = compact(model, composed(first, second));
    assertEquals(twice.config, both.config);
    assertEquals([...twice.tensors.keys()], [...both.tensors.keys()]);
    for (const [key, { shape, data }] of twice.tensors) {
      assertEquals(shape, both.tensors.get(key)!.shape, key);
      assertClose(key, data, both.tensors.get(key)!.data, { rtol: 2e-7, atol: 0 });
    }
  });
}

for (const name of ["base", "large"]) {
  Deno.test(`the folder of ${name}, pruned, is read back as it was written`, async () => {
    const checkpoint = await readCheckpoint(new URL(`../testdata/${name}`, import.meta.url).pathname);
    const choice = choiceOf(someGates(checkpoint, "whole sub-layers closed", 3));
    const small = { ...checkpoint, ...compact(checkpoint, choice) };
    const folder = await Deno.makeTempDir();
    try {
      await writeCheckpoint(folder, small);
      const read = await readCheckpoint(folder);
      assertEquals({ ...read.config, source: "" }, { ...small.config, source: "" });
      assertEquals(read.head, small.head);
      assertEquals(new Set(read.tensors.keys()), new Set(small.tensors.keys()));
      for (const [name, weight] of small.tensors) assertEquals(read.tensors.get(name), weight, name);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("surgery leaves the rest as it is", () => {
  const { model } = smallModel("base");
  const names = new Map([...model.tensors].map(([name, weight]) => [withoutPrefix(name), weight]));
  const unprefixed: SurgeryModel = { ...model, tensors: names };
  const choice: Choice = new Map([["ffn.1", { indices: [3, 5, 8], gates: [1, 0.5, 1] }]]);
  const before = new Map([...model.tensors].map(([name, { data }]) => [name, data.slice()]));
  const small = compact(model, choice);
  for (const [name, weight] of model.tensors) {
    assertEquals(weight.data, before.get(name));
    const touched = /layers\.1\.feed_forward\.(intermediate_dense\.|output_dense\.weight)/.test(name);
    assertEquals(small.tensors.get(name) === weight, !touched, name);
  }
  assertEquals(small.config.intermediate_size, [40, 3, 40]);
  const alike = compact(unprefixed, choice);
  assertEquals([...alike.tensors], [...small.tensors].map(([name, weight]) => [withoutPrefix(name), weight]));
  assertEquals(compact(model, new Map()), {
    config: model.config,
    head: "ctc",
    tensors: new Map(model.tensors),
  });
});

Deno.test("impossible cuts are refused", () => {
  const { model } = smallModel("base");
  const refused = (group: string, indices: number[], gates: number[], message: string) =>
    assertThrows(() => compact(model, new Map([[group, { indices, gates }]])), RangeError, message);
  refused("conv.7", [0], [1], "Cannot cut conv.7 as the model must have these units: it does not");
  refused("conv.0", [], [], "Cannot cut conv.0 as it must keep 1: the choice keeps 0");
  refused("heads.0", [0, 3], [1, 1], "indices must rise below 3: index 1 is 3");
  refused("heads.0", [1, 1], [1, 1], "indices must rise below 3: index 1 is 1");
  refused("heads.0", [0.5], [1], "index 0 is 0.5");
  refused("heads.0", [0, 1], [1], "each of 2 kept units must have a gate: there are 1");
  refused("heads.0", [0, 2], [1, 0], "the gate of a kept unit must be above 0: unit 2 has 0");
  refused("heads.0", [0], [NaN], "above 0: unit 0 has NaN");
  const tensors = new Map(model.tensors);
  tensors.delete("wav2vec2.encoder.layers.0.attention.q_proj.bias");
  const choice: Choice = new Map([["heads.0", { indices: [0], gates: [1] }]]);
  const missing = "must have a tensor encoder.layers.0.attention.q_proj.bias: it is missing";
  assertThrows(() => compact({ ...model, tensors }, choice), TypeError, missing);
});
