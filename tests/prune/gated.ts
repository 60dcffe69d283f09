// Models with given gates, as the tests of surgery compare them with compact ones.
import { type HeadKind, parseConfig } from "../../model/config.ts";
import type { Choice } from "../../prune/choose.ts";
import { unitGroups } from "../../prune/groups.ts";
import type { SurgeryModel } from "../../prune/surgery.ts";
import { Fixtures } from "../fixtures.ts";
import type { ModelConfig } from "../oracle/model/config.ts";
import { randomWeights } from "../oracle/model/random_weights.ts";
import { TINY_LENGTHS, TINY_MODELS, tinySamples } from "../oracle/model/tiny.ts";
import { type Nd, randomMask, randomNd } from "../oracle/nd.ts";

/** A small model for our code and for the oracle, with audio to run it on. */
export interface SmallModel {
  /** Fields of its `config.json`. */
  readonly fields: ModelConfig;
  /** Weights by published name. */
  readonly weights: Map<string, Nd>;
  /** The same for our code. */
  readonly model: SurgeryModel;
  /** Padded audio, [B, S], and the lengths without padding. */
  readonly samples: Nd;
  readonly lengths: readonly number[];
}

/** Names of {@linkcode smallModel}: the reference's models and those of every family and head. */
export const SMALL_MODELS: readonly string[] = ["base", "large", ...Object.keys(TINY_MODELS)];

/** A small model by name. */
export function smallModel(name: string): SmallModel {
  const tiny = Object.entries(TINY_MODELS).find(([key]) => key === name)?.[1];
  if (tiny) {
    const weights = randomWeights(tiny.config, tiny.head, 7);
    const head: HeadKind = tiny.head === "ctc" ? "ctc" : tiny.head === null ? "none" : "classify";
    const model = hostModel(tiny.config, head, weights);
    return { fields: tiny.config, weights, model, samples: tinySamples(1), lengths: TINY_LENGTHS };
  }
  const file = new Fixtures(`${name}/model.safetensors`);
  const audio = new Fixtures("audio.safetensors");
  const weights = new Map(file.unread().map((key) => [key, file.nd(key)]));
  const url = new URL(`../testdata/${name}/config.json`, import.meta.url);
  const fields: ModelConfig = JSON.parse(Deno.readTextFileSync(url));
  return {
    fields,
    weights,
    model: hostModel(fields, "ctc", weights),
    samples: audio.nd("input_values"),
    lengths: audio.integers("lengths"),
  };
}

function hostModel(fields: ModelConfig, head: HeadKind, weights: ReadonlyMap<string, Nd>): SurgeryModel {
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );
  return { config: parseConfig(JSON.stringify(fields)), head, tensors };
}

/** Ways to gate a model. */
export const GATINGS = [
  "random",
  "whole sub-layers closed",
  "one channel",
  "one channel before the last layer",
  "nothing closed",
] as const;

/**
 * Gates of all groups: of every four one closed, one open, two between. Then all units of the first Transformer layer's
 * attention and of the last one's feed-forward block are closed, or all channels but one.
 */
export function someGates(
  { config }: SurgeryModel,
  gating: typeof GATINGS[number],
  seed: number,
): Map<string, Nd> {
  const groups = unitGroups(config);
  const first = groups.find(({ kind }) => kind === "heads");
  const last = groups.findLast(({ kind }) => kind === "ffn");
  const features = groups.findLast(({ kind }) => kind === "conv");
  return new Map(groups.map((group, g) => {
    const { name, units, kind } = group;
    const key = 100 * seed + g;
    const gates = randomNd([units], key);
    const open = randomMask([units], key, 0.25);
    const closed = randomMask([units], key + 50, gating === "nothing closed" ? 0 : 0.25);
    gates.data.forEach((x, i) => {
      gates.data[i] = closed.data[i] ? 0 : open.data[i] ? 1 : Math.fround(1 / (1 + Math.exp(-x)));
    });
    if (gating === "whole sub-layers closed" && (group === first || group === last)) gates.data.fill(0);
    const one = gating === "one channel" ||
      (gating === "one channel before the last layer" && group !== features);
    if (kind === "conv" && (one || gates.data.every((z) => z === 0))) {
      const only = key % units;
      gates.data.fill(0).fill(0.75, only, only + 1);
    }
    return [name, gates];
  }));
}

/** The choice that keeps the open units with their gates. */
export function choiceOf(gates: ReadonlyMap<string, Nd>): Choice {
  return new Map([...gates].map(([name, { data }]) => {
    const indices = [...data.keys()].filter((i) => data[i]! > 0);
    return [name, { indices, gates: indices.map((i) => data[i]!) }];
  }));
}
