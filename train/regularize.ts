import type { ModelConfig } from "../model/config.ts";

/** Regularisation to train with instead of the config's. */
export interface Regularization {
  /** Probability of every kind of dropout, and of layers to be dropped; as the config says unless given. */
  readonly dropout?: number | undefined;
  /** Share of the frames that SpecAugment masks, 0 for none; as the config says unless given. */
  readonly maskProb?: number | undefined;
}

/**
 * A config with other dropout or another share of masked frames. A compact model with little capacity to spare learns
 * more with less of both.
 *
 * @param config Config, which stays as it is.
 * @param regularization What to change.
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
