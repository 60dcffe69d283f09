import type { ModelConfig } from "./config_types.ts";
import type { JsonFields } from "./checkpoint/json_fields.ts";

/** Fields that would change the model and are not implemented, with the values that leave it unchanged. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  hidden_act: ["gelu"],
  feat_extract_activation: ["gelu"],
  conv_pos_batch_norm: [false],
  add_adapter: [false],
  quantization_config: [],
};

const ARCHITECTURES = /(Model|ForPreTraining|ForCTC|ForMaskedLM|ForSequenceClassification)$/;

/**
 * Checks that the fields of a configuration agree and are supported.
 *
 * @param config Parsed configuration.
 * @param fields Its JSON fields, for error messages and for fields that `ModelConfig` lacks.
 * @throws {RangeError} If fields contradict each other or are not supported; one line with the field.
 */
export function checkConfig(config: ModelConfig, fields: JsonFields): void {
  for (const [key, allowed] of Object.entries(UNSUPPORTED)) {
    if (key === "conv_pos_batch_norm" && config.model_type === "hubert") continue;
    if (fields.has(key) && !allowed.includes(fields.raw[key])) {
      const rule = allowed.map((value) => JSON.stringify(value)).join(" or ") || "absent";
      fields.refuse(key, `must be ${rule}, anything else is not supported`);
    }
  }
  const [architecture] = config.architectures;
  if (architecture !== undefined && !ARCHITECTURES.test(architecture)) {
    fields.refuse("architectures", "must be a CTC, classification or headless model");
  }
  checkConvolutions(config, fields);
  checkLayers(config, fields);
  if (config.pad_token_id >= config.vocab_size) {
    fields.refuse("pad_token_id", `must be below vocab_size ${config.vocab_size}`);
  }
}

function checkConvolutions(config: ModelConfig, fields: JsonFields): void {
  const { conv_dim, hidden_size, num_conv_pos_embedding_groups: groups } = config;
  if (conv_dim.length === 0) fields.refuse("conv_dim", "must have an entry per convolution");
  for (const key of ["conv_kernel", "conv_stride"] as const) {
    if (config[key].length !== conv_dim.length) {
      fields.refuse(key, `must have ${conv_dim.length} entries, as conv_dim has`);
    }
  }
  if (fields.whole("num_feat_extract_layers", conv_dim.length) !== conv_dim.length) {
    fields.refuse("num_feat_extract_layers", `must be ${conv_dim.length}, the length of conv_dim`);
  }
  if (hidden_size % groups !== 0) {
    fields.refuse("num_conv_pos_embedding_groups", `must divide hidden_size ${hidden_size}`);
  }
}

function checkLayers(config: ModelConfig, fields: JsonFields): void {
  const { hidden_size, head_dim, num_attention_heads, remaining_heads } = config;
  for (
    const [use, units] of [
      ["use_attention", "num_attention_heads"],
      ["use_feed_forward", "intermediate_size"],
    ] as const
  ) {
    const layer = config[use].findIndex((used, layer) => !used && config[units][layer] !== 0);
    if (layer < 0) continue;
    fields.refuse(units, `must be 0 where ${use} is false`, `layer ${layer} has ${config[units][layer]}`);
  }
  if (hidden_size % head_dim !== 0) {
    fields.refuse("head_dim", `must divide hidden_size ${hidden_size}`);
  }
  const dense = hidden_size / head_dim;
  if (num_attention_heads.some((heads) => heads > dense)) {
    const rule = `must be at most ${dense}, hidden_size ${hidden_size} / head_dim ${head_dim}`;
    fields.refuse("num_attention_heads", rule);
  }
  if (!remaining_heads) return;
  remaining_heads.forEach((kept, layer) => {
    const heads = num_attention_heads[layer]!;
    if (kept.length !== heads || (heads < dense && !fields.has("remaining_heads"))) {
      fields.refuse("remaining_heads", `must list the ${heads} heads kept in layer ${layer}`);
    }
    if (kept.some((head, i) => head >= dense || head <= (kept[i - 1] ?? -1))) {
      fields.refuse(
        "remaining_heads",
        `must be in ascending order and below ${dense}`,
        `layer ${layer} has ${kept}`,
      );
    }
  });
  const exactBuckets = Math.floor(config.num_buckets / 4);
  if (config.max_bucket_distance <= exactBuckets) {
    fields.refuse("max_bucket_distance", `must be above ${exactBuckets}, a quarter of num_buckets`);
  }
}
