// JsonFields of config.json that take more than one look.

import type { JsonFields } from "./checkpoint/json_fields.ts";

const COUNT = { least: 0 };

/** Head size where none is given: that of a dense layer. */
export function denseHeadSize(
  fields: JsonFields,
  hidden: number,
  heads: readonly number[],
): number | undefined {
  const [first = 0] = heads;
  const alike = first > 0 && heads.every((n) => n === first);
  if (fields.has("head_dim") || !alike) return undefined;
  return hidden % first === 0
    ? hidden / first
    : fields.refuse("num_attention_heads", `must divide hidden_size ${hidden}`);
}

/** WavLM: numbers that the heads of every layer had in the dense model; all of them unless told. */
export function remainingHeads(fields: JsonFields, heads: readonly number[]): number[][] {
  if (fields.has("remaining_heads")) return fields.lists("remaining_heads", heads.length, COUNT);
  return heads.map((n) => Array.from({ length: n }, (_, head) => head));
}

/** Names of the classes: `id2label`, or as many as `num_labels` says, or two. */
export function labels(fields: JsonFields): string[] {
  const named = fields.raw["id2label"] ?? undefined;
  const count = fields.whole("num_labels", typeof named === "object" ? Object.keys(named).length : 2, COUNT);
  if (named === undefined) return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
  if (typeof named !== "object" || Array.isArray(named)) return fields.fail("id2label", "must be an object");
  if (Object.keys(named).length !== count) {
    fields.refuse("id2label", `must name ${count} labels`, `it names ${Object.keys(named).length}`);
  }
  return Array.from({ length: count }, (_, i) => {
    const label: unknown = Object.hasOwn(named, i) ? (named as Record<number, unknown>)[i] : undefined;
    if (typeof label === "string" || typeof label === "number") return String(label);
    return fields.fail("id2label", "must name the labels from 0 on", `${i} is no name`);
  });
}
