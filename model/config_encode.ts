import { type ModelConfig, parseConfig } from "./config.ts";

/**
 * Writes a `config.json`. The text that the config was read from comes back unchanged where nothing was changed;
 * else it keeps its unknown fields, its order and the spelling of its numbers. Per-layer sizes that are equal become one
 * number, so that a dense model's file is as Hugging Face writes it; where they differ, `head_dim` stands beside them.
 *
 * @param config What to write, with the text that it came from.
 * @throws {SyntaxError} If that text is no config any more; `TypeError` and `RangeError` likewise.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { encodeConfig } from "./config_encode.ts";
 *
 * const text = await Deno.readTextFile("recipes/configs/tiny-base.json");
 * const config = parseConfig(text);
 * console.log(encodeConfig(config) === text); // true
 * encodeConfig({ ...config, num_attention_heads: [4, 4, 0, 1] }); // one number per layer, and head_dim
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

/** Numbers that would be written in another way than they were read, such as 1e-05, stay as they are. */
function keepSpelling(_key: string, value: unknown, from?: { source?: string }): unknown {
  if (typeof value !== "number" || from?.source === undefined || String(value) === from.source) return value;
  // TypeScript's library does not know it yet.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(from.source);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** One number for equal ones. */
function collapsed(sizes: readonly number[]): number | readonly number[] {
  return sizes.every((size) => size === sizes[0]) ? sizes[0]! : sizes;
}

/** Whether the heads of every layer fill the hidden size, so that the head size goes without saying. */
function isDense({ num_attention_heads, head_dim, hidden_size }: ModelConfig): boolean {
  return num_attention_heads.every((heads) => heads * head_dim === hidden_size);
}
