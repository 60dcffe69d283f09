// `per_layer_config` of config.json: what layers of a compact model have instead of the sizes of the whole model, as transformers
// records layers that differ.
import { isObject, type JsonFields, show } from "./checkpoint/json_fields.ts";
import type { ModelConfig } from "./config_types.ts";

const SIZES = ["num_attention_heads", "intermediate_size"] as const;

/** Names of the sub-layers in `skip`, with the fields that they stand for. */
const SUBLAYERS = { attention: "use_attention", mlp: "use_feed_forward" } as const;

type Layer = Partial<Record<typeof SIZES[number], unknown>> & {
  readonly skip?: readonly (keyof typeof SUBLAYERS)[];
};

/**
 * Replaces `per_layer_config` by lists with an entry per layer.
 *
 * @param fields The fields of a config.json, with or without `per_layer_config`.
 * @param layers Number of layers.
 * @throws {TypeError | RangeError} If it names layers or fields that the model lacks; one line.
 */
export function expandLayers(fields: JsonFields, layers: number): JsonFields {
  if (!fields.has("per_layer_config")) return fields;
  const all = readLayers(fields, layers);
  const heads = fields.whole("num_attention_heads");
  const hidden = fields.whole("hidden_size");
  if (hidden % heads !== 0) fields.refuse("num_attention_heads", `must divide hidden_size ${hidden}`);
  const lists: Record<string, unknown> = { head_dim: hidden / heads };
  for (const key of SIZES) {
    const size = fields.whole(key);
    lists[key] = Array.from({ length: layers }, (_, i) => all.get(i)?.[key] ?? size);
  }
  for (const [name, key] of Object.entries(SUBLAYERS)) {
    const sublayer = name as keyof typeof SUBLAYERS;
    lists[key] = Array.from({ length: layers }, (_, i) => !all.get(i)?.skip?.includes(sublayer));
  }
  return fields.with(lists);
}

/** The layers of `per_layer_config`, checked but for the sizes. */
function readLayers(fields: JsonFields, layers: number): Map<number, Layer> {
  const key = "per_layer_config";
  const raw = fields.raw[key];
  if (!isObject(raw)) return fields.fail(key, "must be an object");
  const all = new Map<number, Layer>();
  for (const [index, layer] of Object.entries(raw)) {
    if (!/^\d{1,4}$/.test(index) || Number(index) >= layers) {
      fields.refuse(key, `must name layers from 0 to ${layers - 1}`, `it names ${show(index)}`);
    }
    if (!isObject(layer)) {
      return fields.fail(key, "must have an object for every layer", `${index} has ${show(layer)}`);
    }
    for (const [name, value] of Object.entries(layer)) {
      if ((SIZES as readonly string[]).includes(name)) continue;
      const isList = name === "skip" && Array.isArray(value) &&
        value.every((one) => Object.hasOwn(SUBLAYERS, one));
      if (!isList) {
        const rule = `must have ${SIZES.join(", ")} and skip (${Object.keys(SUBLAYERS).join(", ")}) only`;
        fields.refuse(key, rule, `layer ${index} has ${name} ${show(value)}`);
      }
    }
    all.set(Number(index), layer);
  }
  return all;
}

/**
 * Writes the sizes of the layers: those of the dense model, and `per_layer_config` where layers differ from them.
 *
 * @param json The fields of a config.json, which are changed.
 * @param config Sizes of the layers.
 */
export function collapseLayers(json: Record<string, unknown>, config: ModelConfig): void {
  const { num_attention_heads: heads, intermediate_size: units, hidden_size, head_dim } = config;
  const before = json["intermediate_size"];
  // Layers of one size are all smaller than before after uniform pruning, which stock classes can express.
  const equal = units.every((n) => n === units[0]) && units[0]! > 0;
  const dense = {
    num_attention_heads: hidden_size / head_dim,
    intermediate_size: equal
      ? units[0]!
      : typeof before === "number"
      ? Math.max(before, ...units)
      : Math.max(1, ...units),
  };
  const layers: Record<string, Layer> = {};
  heads.forEach((n, i) => {
    const skip = (Object.keys(SUBLAYERS) as (keyof typeof SUBLAYERS)[]).filter((name) =>
      !config[SUBLAYERS[name]][i]
    );
    const layer: Layer = {
      ...n !== dense.num_attention_heads && { num_attention_heads: n },
      ...units[i] !== dense.intermediate_size && { intermediate_size: units[i] },
      ...skip.length > 0 && { skip },
    };
    if (Object.keys(layer).length > 0) layers[i] = layer;
  });
  for (const key of [...Object.values(SUBLAYERS), "per_layer_config", "head_dim"]) delete json[key];
  Object.assign(json, dense, Object.keys(layers).length > 0 && { per_layer_config: layers });
}
