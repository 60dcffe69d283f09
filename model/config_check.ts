import type { ModelConfig } from "./config_types.ts";
import type { JsonFields } from "./checkpoint/json_fields.ts";

/** What would change the model and cannot be computed: by field, the values that ask for nothing. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  hidden_act: ["gelu"],
  feat_extract_activation: ["gelu"],
  conv_pos_batch_norm: [false],
  add_adapter: [false],
  adapter_attn_dim: [],
  quantization_config: [],
};

const HEADS = /(Model|ForPreTraining|ForCTC|ForMaskedLM|ForSequenceClassification)$/;

/**
 * Checks what the fields of a configuration say together.
 *
 * @param config What was read.
 * @param fields Where it was read, for errors and for the fields that have no place in a config.
 * @throws {RangeError} If fields contradict each other or ask for something unsupported; one line with the field.
 */
export function checkConfig(config: ModelConfig, fields: JsonFields): void {
  for (const [key, neutral] of Object.entries(UNSUPPORTED)) {
    if (fields.has(key) && !neutral.includes(fields.raw[key])) {
      const rule = neutral.map((value) => JSON.stringify(value)).join(" or ") || "left out";
      fields.refuse(key, `must be ${rule}, anything else is not supported`);
    }
  }
  const [architecture] = config.architectures;
  if (architecture !== undefined && !HEADS.test(architecture)) {
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
  if (conv_dim.length === 0) fields.refuse("conv_dim", "must name a convolution");
  for (const key of ["conv_kernel", "conv_stride"] as const) {
    if (config[key].length !== conv_dim.length) {
      fields.refuse(key, `must have a number for each of the ${conv_dim.length} of conv_dim`);
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
  if (hidden_size % head_dim !== 0) {
    fields.refuse("head_dim", `must divide hidden_size ${hidden_size}`);
  }
  const dense = hidden_size / head_dim;
  if (num_attention_heads.some((heads) => heads > dense)) {
    const rule = `must be at most ${dense}, hidden_size ${hidden_size} by head_dim ${head_dim}`;
    fields.refuse("num_attention_heads", rule);
  }
  if (!remaining_heads) return;
  remaining_heads.forEach((kept, layer) => {
    const heads = num_attention_heads[layer]!;
    if (kept.length !== heads || (heads < dense && !fields.has("remaining_heads"))) {
      fields.refuse("remaining_heads", `must number the ${heads} heads kept in layer ${layer}`);
    }
    if (kept.some((head, i) => head >= dense || head <= (kept[i - 1] ?? -1))) {
      fields.refuse("remaining_heads", `must rise and stay below ${dense}`, `layer ${layer} has ${kept}`);
    }
  });
  const exact = Math.floor(config.num_buckets / 4);
  if (config.max_bucket_distance <= exact) {
    fields.refuse("max_bucket_distance", `must be above ${exact}, a quarter of num_buckets`);
  }
}
