import type { SpeechModel } from "../model/speech_model.ts";
import type { AdamWGroup } from "./adamw_options.ts";

/** Options of {@linkcode parameterGroups}. */
export interface ParameterGroupOptions {
  /** Peak learning rate. */
  readonly lr: number;
  /** Weight decay; default: 0. */
  readonly weightDecay?: number;
  /** Decay rates of the Adam moments; default: 0.9 and 0.98, as speech models are fine-tuned with. */
  readonly betas?: readonly [number, number];
  /** Whether the feature encoder's weights stay as they are; default: false. */
  readonly freezeFeatureEncoder?: boolean;
}

/** Whether a weight has no weight decay: a bias, a scale, norms of the positional convolution, the mask embedding. */
function isUndecayed(name: string): boolean {
  return /(\.bias|(layer_norm|batch_norm|adapter_layer\.norm)\.weight|dummy_weight|weight_g|original0|masked_spec_embed|gru_rel_pos_const)$/
    .test(name);
}

/**
 * Parameter groups of a model: weights with weight decay, and biases, norms and the like without. It sets
 * `requiresGrad` of all of them.
 *
 * @param model Model to train.
 * @param options Learning rate and more.
 */
export function parameterGroups(model: SpeechModel, options: ParameterGroupOptions): AdamWGroup[] {
  const { lr, weightDecay = 0, betas = [0.9, 0.98], freezeFeatureEncoder = false } = options;
  const { weights } = model;
  const isTrained = (name: string) => !(freezeFeatureEncoder && name.startsWith("feature_extractor."));
  weights.require(isTrained);
  const names = weights.names.filter((name) => weights.get(name).requiresGrad);
  const group = (undecayed: boolean): AdamWGroup => ({
    params: names.filter((name) => isUndecayed(name) === undecayed).map((name) => weights.get(name)),
    lr,
    betas,
    weightDecay: undecayed ? 0 : weightDecay,
  });
  return [group(false), group(true)].filter(({ params }) => params.length > 0);
}
