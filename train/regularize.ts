import type { ModelConfig } from "../model/config.ts";

/** Regularisation that replaces that of the config. */
export interface Regularization {
  /** Probability of every kind of dropout, layer drop included; default: as in the config. */
  readonly dropout?: number | undefined;
  /** Share of frames that SpecAugment masks, 0 for none; default: as in the config. */
  readonly maskProb?: number | undefined;
}

/**
 * A copy of a config with other dropout or another share of masked frames, for a training. A compact model with little
 * capacity to spare learns more with less of both. What the training makes keeps the config as it was.
 *
 * @param config Config.
 * @param regularization Values to replace.
 */
export function regularize(config: ModelConfig, { dropout, maskProb }: Regularization): ModelConfig {
  return {
    ...config,
    ...dropout !== undefined && {
      hidden_dropout: dropout,
      attention_dropout: dropout,
      activation_dropout: dropout,
      feat_proj_dropout: dropout,
      final_dropout: dropout,
      layerdrop: dropout,
    },
    ...maskProb !== undefined && { apply_spec_augment: maskProb > 0, mask_time_prob: maskProb },
  };
}
