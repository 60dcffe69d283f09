// Fills a compact model with zeros, so that the stock classes of transformers load it.
import type { Checkpoint, Weight } from "../checkpoint/types.ts";
import type { ModelConfig } from "../config_types.ts";
import { parameterSpecs } from "../parameter_specs.ts";
import { type LayerUnits, slicesOf } from "../unit_slices.ts";

/**
 * The same function with equal sizes in all layers: heads and feed-forward units that compute zeros are added. Heads take the places that
 * they had in the dense model where these matter (WavLM). Convolutions keep their widths, which stock configs have per layer.
 *
 * @param checkpoint A compact model; its tensors have names without prefix.
 * @returns A model with hidden size / head size heads in every layer and as many units as its largest layer. It has more parameters, and
 * takes as long as the dense model.
 * @throws {TypeError} If the model scales the channels of its last convolution, which stock classes cannot.
 */
export function padModel(checkpoint: Checkpoint): Checkpoint {
  const { config } = checkpoint;
  if (config.feature_scale) {
    throw new TypeError(
      "Cannot pad the model as stock classes have no scale of channels: it has dummy_weight",
    );
  }
  const padded = paddedConfig(config);
  const places = placesOf(config, padded);
  const tensors = new Map<string, Weight>();
  const optional = new Set(parameterSpecs(config, checkpoint.head).map(({ name }) => name));
  for (const { name, shape } of parameterSpecs(padded, checkpoint.head)) {
    const from = checkpoint.tensors.get(name);
    if (!from && optional.has(name)) continue; // such as the embedding of masked frames
    tensors.set(
      name,
      from && !places.has(name) ? from : placed(shape, from, places.get(name) ?? [null, null]),
    );
  }
  return {
    ...checkpoint,
    config: padded,
    tensors,
    layoutOnDisk: { ...checkpoint.layoutOnDisk, header: null },
  };
}

function paddedConfig(config: ModelConfig): ModelConfig {
  const heads = config.hidden_size / config.head_dim;
  const all = <T>(value: T) => Array.from({ length: config.num_hidden_layers }, () => value);
  return {
    ...config,
    num_attention_heads: all(heads),
    intermediate_size: all(Math.max(1, ...config.intermediate_size)),
    use_attention: all(true),
    use_feed_forward: all(true),
    remaining_heads: config.remaining_heads && all(Array.from({ length: heads }, (_, head) => head)),
  };
}

type Places = [rows: readonly number[] | null, columns: readonly number[] | null];

/** Where the entries of the first two axes go in the padded tensors; null: where they are. */
function placesOf(config: ModelConfig, padded: ModelConfig): Map<string, Places> {
  const all = new Map<string, Places>();
  const add = (units: LayerUnits, places: readonly number[]) => {
    for (const { tensor, axis, width } of slicesOf(padded, units)) {
      const both = all.get(tensor) ?? [null, null];
      both[axis] = places.flatMap((place) => Array.from({ length: width }, (_, n) => place * width + n));
      all.set(tensor, both);
    }
  };
  const firsts = (count: number) => Array.from({ length: count }, (_, i) => i);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const heads = config.remaining_heads?.[layer] ?? firsts(config.num_attention_heads[layer]!);
    add({ kind: "heads", layer }, heads);
    add({ kind: "ffn", layer }, firsts(config.intermediate_size[layer]!));
  }
  return all;
}

/** A tensor of zeros with the entries of a smaller one at their places. */
function placed(shape: readonly number[], from: Weight | undefined, [down, across]: Places): Weight {
  const data = new Float32Array(shape.reduce((size, n) => size * n, 1));
  if (!from) return { shape, data };
  const [height, width = 1, ...rest] = from.shape as [number, ...number[]];
  const inner = rest.reduce((size, n) => size * n, 1);
  const columns = shape[1] ?? 1;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const to = ((down?.[i] ?? i) * columns + (across?.[j] ?? j)) * inner;
      data.set(from.data.subarray((i * width + j) * inner, (i * width + j + 1) * inner), to);
    }
  }
  return { shape, data };
}
