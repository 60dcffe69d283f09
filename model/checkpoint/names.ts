// Maps the tensor names of files to the names of parameterSpecs. Files differ in the prefix of the model, in the names of weight
// norm, and in the convention: Hugging Face or torchaudio.
import { withoutPrefix } from "../families.ts";

/**
 * What the name of a tensor in a file refers to.
 *
 * - `keys`: the model's tensors that it holds, concatenated along the first axis; several for the `in_proj` of torchaudio.
 * - `unused`: a tensor that the model does not need, such as those of pre-training, with the reason.
 * - `unsupported`: a part of the model that is not implemented, with the reason.
 */
export type ParsedName =
  | { readonly keys: readonly string[] }
  | { readonly unused: string }
  | { readonly unsupported: string };

const WEIGHT_NORM: Readonly<Record<string, string>> = {
  "parametrizations.weight.original0": "weight_g",
  "parametrizations.weight.original1": "weight_v",
};

const UNSUPPORTED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^adapter\./, "the adapter after the Transformer is not supported"],
];

const PRETRAINING =
  /^(quantizer|project_hid|project_q|final_proj|label_embs_concat|logit_generator|ctc_proj|speaker_proj|label_embeddings_concat|layer_norm_for_extract)(\.|$)/;

/** Gate parameters that DPHuBERT stores during pruning. */
const GATES = /\.hard_concrete(_for_\w+)?\.log_alpha$/;

/** Whether a file uses the names of torchaudio, as DPHuBERT does. */
export function isTorchaudio(names: Iterable<string>): boolean {
  for (const name of names) {
    if (/^encoder\.(transformer|feature_projection)\./.test(withoutPrefix(name))) return true;
  }
  return false;
}

/**
 * Finds what the name of a tensor in a file refers to.
 *
 * @param name Name in the file.
 * @param torchaudio Whether the file uses the names of torchaudio.
 *
 * @example
 * ```ts
 * import { parseTensorName } from "./names.ts";
 *
 * parseTensorName("hubert.encoder.layer_norm.bias", false); // { keys: ["encoder.layer_norm.bias"] }
 * parseTensorName("encoder.transformer.layer_norm.bias", true); // the same
 * parseTensorName("quantizer.codevectors", false); // { unused: "pre-training" }
 * ```
 */
export function parseTensorName(name: string, torchaudio: boolean): ParsedName {
  let key = withoutPrefix(name);
  if (torchaudio) key = fromTorchaudio(key);
  for (const [spelled, plain] of Object.entries(WEIGHT_NORM)) {
    if (key === `encoder.pos_conv_embed.conv.${spelled}`) key = `encoder.pos_conv_embed.conv.${plain}`;
  }
  if (key.endsWith(".num_batches_tracked")) return { unused: "" };
  if (GATES.test(key)) return { unused: "gates of unfinished pruning, taken as open" };
  const unsupported = UNSUPPORTED.find(([pattern]) => pattern.test(key));
  if (unsupported) return { unsupported: unsupported[1] };
  if (PRETRAINING.test(key)) {
    return { unused: "pre-training" };
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

/** Whether a tensor belongs to the model without its head. */
export function isInside(key: string): boolean {
  return /^(feature_extractor|feature_projection|encoder)\./.test(key);
}
