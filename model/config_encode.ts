import { type ModelConfig, parseConfig } from "./config.ts";
import { collapseLayers } from "./per_layer_config.ts";
import { autoMap, isOurMap } from "./transformers/python_file.ts";

/** Fields that {@linkcode collapseLayers} writes. */
const SIZES = [
  "num_attention_heads",
  "head_dim",
  "intermediate_size",
  "use_attention",
  "use_feed_forward",
] as const;

/**
 * Serialises a `config.json`. An unchanged config gives back its source text, unless that lists
 * the sizes of all layers, as earlier versions did. A changed one keeps unknown fields, the order of
 * the fields and the spelling of values. Sizes are those of the dense model; layers that differ are listed in `per_layer_config`, and
 * `auto_map` names the Python file with which transformers loads such a model.
 *
 * @param config The config, with its source text.
 * @throws {SyntaxError | TypeError | RangeError} If the source text is not a valid config.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { encodeConfig } from "./config_encode.ts";
 *
 * const text = await Deno.readTextFile("recipes/configs/tiny-base.json");
 * const config = parseConfig(text);
 * console.log(encodeConfig(config) === text); // true
 * encodeConfig({ ...config, num_attention_heads: [4, 4, 0, 1] }); // per_layer_config has layers 2 and 3
 * ```
 */
export function encodeConfig(config: ModelConfig): string {
  const { source, ...fields } = config;
  const before = parseConfig(source, "the config's source");
  const keys = Object.keys(fields) as (keyof typeof fields)[];
  const changed = new Set(keys.filter((key) => !same(before[key], config[key])));
  const json = JSON.parse(source, keepSpelling) as Record<string, unknown>;
  const hasLists = SIZES.some((key) => Array.isArray(json[key]));
  if (changed.size === 0 && !hasLists) return source;

  for (const key of changed) json[key] = fields[key];
  if (hasLists || SIZES.some((key) => changed.has(key))) collapseLayers(json, config);
  const map = autoMap(config);
  if (map) json["auto_map"] = map;
  else if (isOurMap(json["auto_map"])) delete json["auto_map"];
  if (changed.has("remaining_heads") && config.remaining_heads === null) delete json["remaining_heads"];
  if (changed.has("id2label")) {
    json["id2label"] = Object.fromEntries(config.id2label.map((label, id) => [id, label]));
    json["label2id"] = Object.fromEntries(config.id2label.map((label, id) => [label, id]));
    delete json["num_labels"];
  }
  if (Object.hasOwn(json, "num_feat_extract_layers")) {
    json["num_feat_extract_layers"] = config.conv_dim.length;
  }
  const indent = /^\{\n( +)"/.exec(source)?.[1] ?? "  ";
  return JSON.stringify(json, null, indent) + "\n";
}

/** Keeps the spelling of a number that JavaScript would write differently, such as 1e-05. */
function keepSpelling(_key: string, value: unknown, from?: { source?: string }): unknown {
  if (typeof value !== "number" || from?.source === undefined || String(value) === from.source) return value;
  // TypeScript's library lacks JSON.rawJSON.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(from.source);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
