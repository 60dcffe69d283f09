// The whole model in float64, from the published descriptions (Baevski et al. 2020, arXiv 2006.11477; Hsu et al. 2021,
// arXiv 2106.07447; Chen et al. 2021, arXiv 2110.13900), in the layouts of the checkpoints, with no code of the kernels.
import { frameLengths, type ModelConfig, prefixOf } from "./model/config.ts";
import { encoder } from "./model/encoder.ts";
import { featureEncoder } from "./model/features.ts";
import { affine, normRows, weightOf } from "./model/rows.ts";
import { type Nd, nd } from "./nd.ts";

/** Options of {@linkcode forwardModel}. */
export type ForwardOptions = {
  /** Valid samples of each utterance, for the attention mask; no mask if null. */
  lengths?: readonly number[] | null;
  /** Gates by name: `conv.i` [C], `heads.i` [H], `ffn.i` [F]; a missing one is all ones. */
  gates?: ReadonlyMap<string, Nd>;
  /**
   * Gates that decide which channels are open (> 0) in the norms: the gates themselves unless given. Differences give them, so
   * that the choice stays while a gate moves away from 0.
   */
  open?: ReadonlyMap<string, Nd>;
};

/** What {@linkcode forwardModel} returns. */
export type ForwardResult = {
  /** [B, T, V] of a CTC head, [B, labels] of a classification head, null without a head. */
  logits: Nd | null;
  /**
   * Activations: `act.conv.i` [B, C, T] after GELU and gate (the last one without its gate, closed channels 0);
   * all others [B, T, d]: `act.projection` before padding is cleared, `act.pos_conv` after GELU, `act.encoder_in`
   * the first layer's input, `act.layer.i.attn` after out_proj, before the residual, `act.layer.i` the layer's
   * output, `act.encoder_out` what the head reads.
   */
  acts: Map<string, Nd>;
  /** Valid frames of each utterance: from its length, or all. */
  frames: number[];
};

/**
 * The forward pass of a wav2vec 2.0, HuBERT or WavLM model, dense or compact, as at evaluation.
 *
 * @param config Fields of its `config.json`.
 * @param weights Weights by published name, with the prefix of the model's type. The head is the one they hold.
 * @param samples [B, N], zero-padded.
 */
export function forwardModel(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  samples: Nd,
  { lengths = null, gates = new Map(), open = gates }: ForwardOptions = {},
): ForwardResult {
  const prefix = prefixOf(config);
  const acts = new Map<string, Nd>();
  const features = featureEncoder(config, weights, prefix, samples, { gates, open });
  const last = `conv.${features.length - 1}`;
  const [B, C, T] = features.at(-1)!.shape as [number, number, number];
  features.forEach((y, i) => acts.set(`act.conv.${i}`, y));
  const chosen = open.get(last);
  if (chosen) {
    // The fixtures show the last layer's closed channels as 0 and the others without their gate.
    const shown = features.at(-1)!.data.map((v, n) => chosen.data[Math.floor(n / T) % C]! > 0 ? v : 0);
    acts.set(`act.${last}`, nd([B, C, T], shown));
  }
  const frames = lengths === null ? new Array<number>(B).fill(T) : frameLengths(config, lengths);

  let x = nd([B, T, C]);
  x.data.forEach((_, n) => {
    const [b, t, c] = [Math.floor(n / (T * C)), Math.floor(n / C) % T, n % C];
    x.data[n] = features.at(-1)!.data[(b * C + c) * T + t]!;
  });
  if (config.feature_scale) {
    const scale = weightOf(weights, `${prefix}feature_extractor.dummy_weight`);
    x.data.forEach((v, n) => x.data[n] = v * scale.data[n % C]!);
  }
  if (config.feat_proj_layer_norm ?? true) {
    const options = { eps: config.layer_norm_eps ?? 1e-5, open: chosen ?? null };
    x = normRows(weights, `${prefix}feature_projection.layer_norm`, x, options);
  }
  const gate = gates.get(last);
  if (gate) x.data.forEach((v, n) => x.data[n] = v * gate.data[n % C]!);
  x = affine(weights, `${prefix}feature_projection.projection`, x);
  acts.set("act.projection", nd(x.shape, x.data));
  if (lengths !== null) clearPadding(x, frames);

  const masked = lengths === null ? null : frames;
  const hidden = encoder(config, weights, prefix, x, gates, masked, acts);
  const summed = weights.has("layer_weights") ? weightedSum(config, weights, acts) : hidden;
  return { logits: head(weights, summed, frames), acts, frames };
}

/** The hidden states, the last one after the final norm, each times its share under the softmax of the layer weights. */
function weightedSum(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  acts: ReadonlyMap<string, Nd>,
): Nd {
  const names = Array.from({ length: config.num_hidden_layers - 1 }, (_, i) => `act.layer.${i}`);
  const states = ["act.encoder_in", ...names, "act.encoder_out"].map((name) => acts.get(name)!);
  const powers = [...weights.get("layer_weights")!.data].map(Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  const sum = nd(states[0]!.shape);
  states.forEach((state, n) => state.data.forEach((x, i) => sum.data[i]! += powers[n]! / total * x));
  return sum;
}

/** The head that the weights hold. */
function head(weights: ReadonlyMap<string, Nd>, hidden: Nd, frames: readonly number[]): Nd | null {
  if (weights.has("lm_head.weight")) return affine(weights, "lm_head", hidden);
  if (!weights.has("classifier.weight")) return null;
  const x = affine(weights, "projector", hidden);
  const [B, T, P] = x.shape as [number, number, number];
  const mean = nd([B, P]);
  for (let n = 0; n < B; n++) {
    for (let t = 0; t < Math.min(T, frames[n]!); t++) {
      for (let c = 0; c < P; c++) mean.data[n * P + c]! += x.data[(n * T + t) * P + c]! / frames[n]!;
    }
  }
  return affine(weights, "classifier", mean);
}

function clearPadding(x: Nd, frames: readonly number[]): void {
  const [B, T, C] = x.shape as [number, number, number];
  for (let n = 0; n < B; n++) x.data.fill(0, (n * T + Math.min(T, frames[n]!)) * C, (n + 1) * T * C);
}
