// The oracle of the whole model: against PyTorch, whose values and gradients are in testdata/{base,large}, and,
// where no values are stored, against the oracles of the operations and against itself in another form.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { relativeBuckets } from "../../model/relative_buckets.ts";
import { parseSafetensors, toFloat32 } from "../../model/checkpoint/safetensors.ts";
import { attention } from "./attention.ts";
import { ctc } from "./ctc.ts";
import { gatherRows } from "./gather_rows.ts";
import { linear } from "./linear.ts";
import { meanFrames } from "./mean_frames.ts";
import { forwardModel, type ForwardOptions } from "./model.ts";
import { contexts, positionBias } from "./model/attention.ts";
import { frameLengths, layerSizes, type ModelConfig } from "./model/config.ts";
import { cutModel } from "./model/cut.ts";
import { randomDirection, slopeAlong } from "./model/directions.ts";
import { randomWeights } from "./model/random_weights.ts";
import { TINY_LENGTHS, TINY_MODELS, type TinyModel, tinySamples } from "./model/tiny.ts";
import { type Nd, nd, permute, randomNd, reshape, sameShape } from "./nd.ts";
import { positionGate } from "./position_gate.ts";
import { relativeBias } from "./relative_bias.ts";

/** Float tensors of a file of testdata by name. */
function floats(path: string): Map<string, Nd> {
  const url = new URL(`../testdata/${path}`, import.meta.url);
  const { tensors } = parseSafetensors(Deno.readFileSync(url), path);
  const entries = [...tensors].filter(([, entry]) => entry.dtype === "F32");
  return new Map(entries.map(([name, entry]) => [name, nd(entry.shape, toFloat32(entry))]));
}

/** Checks shape and values to `tolerance` times the largest value. */
function assertClose(found: Nd, expected: Nd, what: string, tolerance = 1e-6): void {
  assert(sameShape(found.shape, expected.shape), `${what}: [${found.shape}], not [${expected.shape}]`);
  let largest = 0;
  let worst = 0;
  expected.data.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const error = Math.abs(found.data[i]! - value);
    if (!(error <= worst)) worst = error;
  });
  assert(worst <= tolerance * largest, `${what}: off by ${worst} where the largest is ${largest}`);
}

for (const model of ["base", "large"]) {
  for (const kind of ["dense", "masked"]) {
    Deno.test(`the oracle agrees with PyTorch: ${model}, ${kind}`, () => {
      const url = new URL(`../testdata/${model}/config.json`, import.meta.url);
      const config: ModelConfig = JSON.parse(Deno.readTextFileSync(url));
      const weights = floats(`${model}/model.safetensors`);
      const gates = kind === "masked" ? floats(`${model}/masks.safetensors`) : new Map<string, Nd>();
      const samples = floats("audio.safetensors").get("input_values")!;
      const expected = floats(`${model}/${kind}.safetensors`);
      const targets = [[3, 3, 7, 1, 5], [2, 9, 9]];
      const reached = new Set<string>();
      const check = (name: string, found: Nd) => {
        assertClose(found, expected.get(name)!, name);
        reached.add(name);
      };
      const options: ForwardOptions = { lengths: [4960, 3700], gates, open: gates };

      const { logits, acts, frames } = forwardModel(config, weights, samples, options);
      assertEquals(frames, [15, 11]);
      check("logits", logits!);
      for (const [name, act] of acts) check(name, act);
      check("loss_mean", reshape(ctc(logits!, frames, targets), [1]));
      check("loss_sum", reshape(ctc(logits!, frames, targets, { reduction: "sum" }), [1]));
      check("loss_per_sample", ctc(logits!, frames, targets, { reduction: "none" }));
      const full = forwardModel(config, weights, samples, { gates });
      check("logits_no_attention_mask", full.logits!);
      const losses = ctc(full.logits!, full.frames, targets, { reduction: "none" });
      check("loss_per_sample_no_attention_mask", losses);

      const loss = (weights: Map<string, Nd>, moved: Map<string, Nd> = gates) => {
        const { logits, frames } = forwardModel(config, weights, samples, { ...options, gates: moved });
        return ctc(logits!, frames, targets).data[0]!;
      };
      const checkSlope = (
        values: Map<string, Nd>,
        f: typeof loss,
        pick: (name: string) => boolean,
        prefix: string,
      ) => {
        const direction = randomDirection(values, 1, pick);
        let slope = 0;
        let squares = 0;
        let count = 0;
        for (const [name, { data }] of direction) {
          const grad = expected.get(prefix + name)!;
          assert(sameShape(grad.shape, values.get(name)!.shape), prefix + name);
          data.forEach((v, i) => {
            slope += v * grad.data[i]!;
            squares += grad.data[i]! ** 2;
          });
          count += data.length;
          reached.add(prefix + name);
        }
        // A slope along a random direction is near |gradient|/√count. The gradient of k_proj.bias is 0.
        const bound = 1e-6 * Math.sqrt(squares / count) + 1e-10;
        const names = [...direction.keys()].slice(0, 3).join(", ");
        assertAlmostEquals(slopeAlong(f, values, direction), slope, bound, `slope along ${names}`);
      };
      const kindOf = (name: string) => name.replace(/\.\d+\./g, ".#.").replace(/\.\d+$/, "");
      for (const kind of new Set([...weights.keys()].map(kindOf))) {
        checkSlope(weights, (moved) => loss(moved), (name) => kindOf(name) === kind, "grad.");
      }
      checkSlope(weights, (moved) => loss(moved), () => true, "grad.");
      for (const kind of new Set([...gates.keys()].map(kindOf))) {
        checkSlope(gates, (moved) => loss(weights, moved), (name) => kindOf(name) === kind, "grad.mask.");
      }
      assertEquals([...expected.keys()].filter((name) => !reached.has(name)), []);
    });
  }
}

const models: [string, TinyModel][] = Object.entries(TINY_MODELS);

/** Gates of all units, every third of them closed, the others between 0 and 1 or open. */
function someGates(config: ModelConfig): Map<string, Nd> {
  const gates = new Map<string, Nd>();
  const add = (name: string, n: number) => {
    gates.set(name, nd([n], Array.from({ length: n }, (_, i) => [0, 0.7, 1][(i + gates.size) % 3]!)));
  };
  config.conv_dim.forEach((n, i) => add(`conv.${i}`, n));
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const { heads, units } = layerSizes(config, i);
    add(`heads.${i}`, heads);
    add(`ffn.${i}`, units);
  }
  return gates;
}

for (const [name, { config, head }] of models) {
  Deno.test(`the oracle's ${name}: shapes, padding, and cut as gated`, () => {
    const weights = randomWeights(config, head, 1);
    const samples = tinySamples(2);
    const { logits, acts, frames } = forwardModel(config, weights, samples, { lengths: TINY_LENGTHS });
    assertEquals(frames, frameLengths(config, TINY_LENGTHS));
    const [B, T, d] = acts.get("act.encoder_out")!.shape as [number, number, number];
    assertEquals([B, T, d], [2, frames[0], config.hidden_size]);
    assertEquals(
      logits?.shape ?? null,
      head === null ? null : head === "ctc" ? [B, T, config.vocab_size] : [B, config.num_labels],
    );
    for (const [act, { data }] of acts) {
      assert(data.every((v) => Number.isFinite(v) && Math.abs(v) < 100), act);
    }

    // A positional convolution reads what a batch norm, or in data2vec the convolution before it, makes of padding.
    const padded = config.model_type === "data2vec-audio" || config["conv_pos_batch_norm"];
    if (config.feat_extract_norm === "layer" && !padded) {
      const short = nd([1, TINY_LENGTHS[1]!], samples.data.slice(2500, 2500 + TINY_LENGTHS[1]!));
      const alone = forwardModel(config, weights, short).acts.get("act.encoder_out")!;
      const row = T * d;
      const within = acts.get("act.encoder_out")!.data.slice(row, row + frames[1]! * d);
      assertClose(alone, nd([1, frames[1]!, d], within), "an utterance alone and padded", 1e-12);
    }

    const gates = someGates(config);
    const gated = forwardModel(config, weights, samples, { lengths: TINY_LENGTHS, gates });
    const compact = cutModel(config, weights, gates);
    const cut = forwardModel(compact.config, compact.weights, samples, { lengths: TINY_LENGTHS });
    assertClose(cut.acts.get("act.encoder_out")!, gated.acts.get("act.encoder_out")!, "cut", 1e-12);
    const off = gated.acts.get("act.encoder_out")!.data.some((v, i) =>
      Math.abs(v - acts.get("act.encoder_out")!.data[i]!) > 0.1
    );
    assert(off, "the gates change nothing");
    const shapes = [...randomWeights(compact.config, head, 1)].map(([name, { shape }]) =>
      `${name} [${shape}]`
    );
    assertEquals([...compact.weights].map(([name, { shape }]) => `${name} [${shape}]`), shapes);
  });
}

Deno.test("the oracle's classification head is a mean over valid frames", () => {
  const { config } = TINY_MODELS["wav2vec2 intents"];
  const weights = randomWeights(config, "classification", 3);
  const { logits, acts, frames } = forwardModel(config, weights, tinySamples(4), { lengths: TINY_LENGTHS });
  const apply = (name: string, x: Nd) =>
    linear(x, weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!);
  const mean = meanFrames(apply("projector", acts.get("act.encoder_out")!), frames);
  assertClose(logits!, apply("classifier", mean), "logits", 1e-12);
});

Deno.test("the oracle's HuBERT without projection norm projects the features as they are", () => {
  const { config } = TINY_MODELS["hubert without projection norm"];
  const weights = randomWeights(config, "ctc", 5);
  assert(!weights.has("hubert.feature_projection.layer_norm.weight"));
  const { acts } = forwardModel(config, weights, tinySamples(6));
  const name = "hubert.feature_projection.projection";
  const features = permute(acts.get(`act.conv.${config.conv_dim.length - 1}`)!, [0, 2, 1]);
  const expected = linear(features, weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!);
  assertClose(acts.get("act.projection")!, expected, "projection", 1e-12);
});

Deno.test("the oracle's WavLM attention agrees with the operations it is made of", () => {
  const { config } = TINY_MODELS["wavlm base"];
  const weights = randomWeights(config, null, 7);
  const [B, T] = [2, 20];
  const { heads, width } = layerSizes(config, 0);
  const name = "wavlm.encoder.layers.0.attention";
  const get = (part: string) => weights.get(`${name}.${part}`)!;
  const x = randomNd([B, T, config.hidden_size], 8);
  const lengths = [20, 13];
  const gate = nd([heads], [0.5, 1, 0]);
  const embedding = get("rel_attn_embed.weight");
  const position = positionBias(config, embedding, T);
  const found = contexts(weights, name, x, layerSizes(config, 0), { lengths, position }, gate);

  const project = (which: string) => linear(x, get(`${which}_proj.weight`), get(`${which}_proj.bias`));
  const slices = reshape(x, [B, T, heads, width]);
  const u = linear(slices, get("gru_rel_pos_linear.weight"), get("gru_rel_pos_linear.bias"));
  const buckets = relativeBuckets(T, config.num_buckets, config.max_bucket_distance);
  const bias = relativeBias(positionGate(u, get("gru_rel_pos_const")), gatherRows(embedding, buckets));
  const options = { heads, lengths, gate, bias };
  const expected = attention(project("q"), project("k"), project("v"), options);
  assertClose(found, expected, "contexts", 1e-12);
});
