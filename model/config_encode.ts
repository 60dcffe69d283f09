import { type ModelConfig, parseConfig } from "./config.ts";

/**
 * Serialises a `config.json`. An unchanged config gives back its source text. A changed one keeps unknown fields, the order of
 * the fields and the spelling of values. Equal sizes of all layers are written as one number, as in a dense
 * model; if the number of heads differs, `head_dim` is added.
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
 * encodeConfig({ ...config, num_attention_heads: [4, 4, 0, 1] }); // one entry per layer, and head_dim
 * ```
 */
export function encodeConfig(config: ModelConfig): string {
  const { source, ...fields } = config;
  const before = parseConfig(source, "the config's source");
  const keys = Object.keys(fields) as (keyof typeof fields)[];
  const changed = new Set(keys.filter((key) => !same(before[key], config[key])));
  if (changed.size === 0) return source;

  const json = JSON.parse(source, keepSpelling) as Record<string, unknown>;
  for (const key of changed) json[key] = fields[key];
  for (const key of ["num_attention_heads", "intermediate_size"] as const) {
    if (changed.has(key)) json[key] = collapsed(config[key]);
  }
  if (changed.has("num_attention_heads") && !isDense(config)) json["head_dim"] = config.head_dim;
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

/** One number if all sizes are equal, as `config.json` has them. @param sizes Size of every layer. */
export function collapsed(sizes: readonly number[]): number | readonly number[] {
  return sizes.every((size) => size === sizes[0]) ? sizes[0]! : sizes;
}

/** Whether heads × head size is the hidden size in every layer, so that `head_dim` follows from the other fields. */
function isDense({ num_attention_heads, head_dim, hidden_size }: ModelConfig): boolean {
  return num_attention_heads.every((heads) => heads * head_dim === hidden_size);
}
