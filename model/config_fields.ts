// Fields of config.json whose defaults depend on other fields.

import type { JsonFields } from "./checkpoint/json_fields.ts";

const COUNT = { least: 0 };

/** Default of `head_dim`: hidden size / heads, if every layer has the same number of heads. */
export function denseHeadSize(
  fields: JsonFields,
  hidden: number,
  heads: readonly number[],
): number | undefined {
  const [first = 0] = heads;
  const equal = first > 0 && heads.every((n) => n === first);
  if (fields.has("head_dim") || !equal) return undefined;
  return hidden % first === 0
    ? hidden / first
    : fields.refuse("num_attention_heads", `must divide hidden_size ${hidden}`);
}

/** WavLM: for every layer, the indices of its heads in the dense model; all heads by default. */
export function remainingHeads(fields: JsonFields, heads: readonly number[]): number[][] {
  if (fields.has("remaining_heads")) return fields.lists("remaining_heads", heads.length, COUNT);
  return heads.map((n) => Array.from({ length: n }, (_, head) => head));
}

/** Class labels: `id2label`; else `LABEL_0` and so on, `num_labels` or two of them. */
export function labels(fields: JsonFields): string[] {
  const named = fields.raw["id2label"] ?? undefined;
  const count = fields.whole("num_labels", typeof named === "object" ? Object.keys(named).length : 2, COUNT);
  if (named === undefined) return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
  if (typeof named !== "object" || Array.isArray(named)) return fields.fail("id2label", "must be an object");
  if (Object.keys(named).length !== count) {
    fields.refuse("id2label", `must have ${count} labels`, `it has ${Object.keys(named).length}`);
  }
  return Array.from({ length: count }, (_, i) => {
    const label: unknown = Object.hasOwn(named, i) ? (named as Record<number, unknown>)[i] : undefined;
    if (typeof label === "string" || typeof label === "number") return String(label);
    return fields.fail("id2label", "must have a label for every id from 0", `${i} has none`);
  });
}
