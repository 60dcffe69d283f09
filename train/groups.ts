import type { SpeechModel } from "../model/speech_model.ts";
import type { AdamWGroup } from "./optimizer.ts";

/** Options of {@linkcode parameterGroups}. */
export interface ParameterGroupOptions {
  /** Peak learning rate. */
  readonly lr: number;
  /** Decay of weights; 0 unless given. */
  readonly weightDecay?: number;
  /** Averages' shares; 0.9 and 0.98 unless given, as speech models are fine-tuned with. */
  readonly betas?: readonly [number, number];
  /** Whether the convolutions over the waveform stay as they are; false unless given. */
  readonly freezeFeatureEncoder?: boolean;
}

/** Whether a weight is never decayed: a bias, a norm's scale, the norms of the positional convolution, the mask. */
export function isUndecayed(name: string): boolean {
  return /(\.bias|layer_norm\.weight|weight_g|original0|masked_spec_embed|gru_rel_pos_const)$/.test(name);
}

/**
 * Asks for the gradients of the weights that are to learn, and sorts them into groups: those that decay, and biases,
 * norms and the like, which do not.
 *
 * @param model What learns.
 * @param options Rates.
 */
export function parameterGroups(model: SpeechModel, options: ParameterGroupOptions): AdamWGroup[] {
  const { lr, weightDecay = 0, betas = [0.9, 0.98], freezeFeatureEncoder = false } = options;
  const { weights } = model;
  const learns = (name: string) => !(freezeFeatureEncoder && name.startsWith("feature_extractor."));
  weights.require(learns);
  const names = weights.names.filter(learns);
  const group = (undecayed: boolean): AdamWGroup => ({
    params: names.filter((name) => isUndecayed(name) === undecayed).map((name) => weights.get(name)),
    lr,
    betas,
    weightDecay: undecayed ? 0 : weightDecay,
  });
  return [group(false), group(true)].filter(({ params }) => params.length > 0);
}
