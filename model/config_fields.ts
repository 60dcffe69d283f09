// Fields of config.json whose defaults depend on other fields.

import type { JsonFields } from "./checkpoint/json_fields.ts";
import type { ModelConfig } from "./config_types.ts";
import type { ModelType } from "./families.ts";

const COUNT = { least: 0 };
const SHARE = { least: 0, most: 1 };

type Regularization = Pick<
  ModelConfig,
  | "hidden_dropout"
  | "attention_dropout"
  | "activation_dropout"
  | "feat_proj_dropout"
  | "final_dropout"
  | "layerdrop"
  | "apply_spec_augment"
  | "mask_time_prob"
  | "mask_time_length"
  | "mask_time_min_masks"
  | "mask_feature_prob"
  | "mask_feature_length"
  | "mask_feature_min_masks"
>;

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

/** Width of the adapters. `transformers` has them in pre-norm layers, and ignores the field elsewhere. */
export function adapterWidth(fields: JsonFields, family: ModelType): number | null {
  const none = family === "wavlm" || family === "data2vec-audio" || !fields.has("adapter_attn_dim");
  return none || !fields.flag("do_stable_layer_norm") ? null : fields.whole("adapter_attn_dim");
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

/** Dropout and masks of training. */
export function regularization(fields: JsonFields): Regularization {
  return {
    hidden_dropout: fields.number("hidden_dropout", 0.1, SHARE),
    attention_dropout: fields.number("attention_dropout", 0.1, SHARE),
    activation_dropout: fields.number("activation_dropout", 0.1, SHARE),
    feat_proj_dropout: fields.number("feat_proj_dropout", 0, SHARE),
    final_dropout: fields.number("final_dropout", 0.1, SHARE),
    layerdrop: fields.number("layerdrop", 0.1, SHARE),
    apply_spec_augment: fields.flag("apply_spec_augment", true),
    mask_time_prob: fields.number("mask_time_prob", 0.05, SHARE),
    mask_time_length: fields.whole("mask_time_length", 10),
    mask_time_min_masks: fields.whole("mask_time_min_masks", 2, COUNT),
    mask_feature_prob: fields.number("mask_feature_prob", 0, SHARE),
    mask_feature_length: fields.whole("mask_feature_length", 10),
    mask_feature_min_masks: fields.whole("mask_feature_min_masks", 0, COUNT),
  };
}
