// Names of tensors as files have them, told by the names of parameterSpecs. Three things differ from file to file: the
// prefix of the model, the spelling of weight norm, and whose names they are: Hugging Face's or torchaudio's.

/**
 * What a name of a file stands for.
 *
 * - `keys`: the model's tensors it holds, one after the other along the first axis; more than one for torchaudio's
 *   `in_proj`.
 * - `outside`: a tensor of other parts, such as those of pre-training, which the model does without.
 * - `unsupported`: a part of the model that cannot be computed, with the reason.
 */
export type Meaning =
  | { readonly keys: readonly string[] }
  | { readonly outside: string }
  | { readonly unsupported: string };

const WEIGHT_NORM: Readonly<Record<string, string>> = {
  "parametrizations.weight.original0": "weight_g",
  "parametrizations.weight.original1": "weight_v",
};

const UNSUPPORTED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/(^|\.)adapter(_layer)?\./, "adapters are not supported"],
  [
    /^encoder\.pos_conv_embed\.batch_norm\./,
    "a batch norm before the positional convolution is not supported",
  ],
  [
    /^encoder\.pos_conv_embed\.conv\.weight$/,
    "weight norm takes weight_g and weight_v instead of one weight",
  ],
];

/** Gates of DPHuBERT in the middle of its pruning. */
const GATES = /\.hard_concrete(_for_\w+)?\.log_alpha$/;

/** The part of a name that does not depend on the prefix: `wav2vec2.encoder.x` and `encoder.x` are one. */
export function prefixOf(name: string): string {
  return /^(wav2vec2|hubert|wavlm)\./.exec(name)?.[0] ?? "";
}

/** Whether a file has torchaudio's names, which DPHuBERT shares. */
export function isTorchaudio(names: Iterable<string>): boolean {
  for (const name of names) {
    if (/^encoder\.(transformer|feature_projection)\./.test(name.slice(prefixOf(name).length))) return true;
  }
  return false;
}

/**
 * What a tensor's name in a file stands for.
 *
 * @param name Name as written.
 * @param torchaudio Whether the file has torchaudio's names.
 *
 * @example
 * ```ts
 * import { meaningOf } from "./names.ts";
 *
 * meaningOf("hubert.encoder.layer_norm.bias", false); // { keys: ["encoder.layer_norm.bias"] }
 * meaningOf("encoder.transformer.layer_norm.bias", true); // the same
 * meaningOf("quantizer.codevectors", false); // { outside: "is of pre-training" }
 * ```
 */
export function meaningOf(name: string, torchaudio: boolean): Meaning {
  let key = name.slice(prefixOf(name).length);
  if (torchaudio) key = fromTorchaudio(key);
  for (const [spelled, plain] of Object.entries(WEIGHT_NORM)) {
    if (key === `encoder.pos_conv_embed.conv.${spelled}`) key = `encoder.pos_conv_embed.conv.${plain}`;
  }
  if (GATES.test(key)) return { outside: "is a gate of unfinished pruning, which is taken as open" };
  const unsupported = UNSUPPORTED.find(([pattern]) => pattern.test(key));
  if (unsupported) return { unsupported: unsupported[1] };
  if (/^(quantizer|project_hid|project_q|final_proj|label_embs_concat|logit_generator)(\.|$)/.test(key)) {
    return { outside: "is of pre-training" };
  }
  const fused = /^(encoder\.layers\.\d+\.attention)\.attention\.(in_proj_(weight|bias)|out_proj\..*)$/.exec(
    key,
  );
  if (fused) {
    const [, module, , kind] = fused;
    if (kind === undefined) return { keys: [`${module}.${fused[2]}`] };
    return { keys: ["q_proj", "k_proj", "v_proj"].map((part) => `${module}.${part}.${kind}`) };
  }
  return { keys: [key] };
}

function fromTorchaudio(key: string): string {
  return key.replace(/^encoder\.feature_projection\./, "feature_projection.")
    .replace(/^encoder\.transformer\./, "encoder.")
    .replace(/^aux\./, "lm_head.")
    .replace(/^mask_generator\.mask_embedding$/, "masked_spec_embed");
}

/** Whether a name is of the model itself and not of what stands around it. */
export function isInside(key: string): boolean {
  return /^(feature_extractor|feature_projection|encoder)\./.test(key);
}
