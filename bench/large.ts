/** Sizes of the large wav2vec 2.0 and WavLM models that differ from those of the base models. */
export const LARGE = {
  hidden_size: 1024,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  intermediate_size: 4096,
  feat_extract_norm: "layer",
  do_stable_layer_norm: true,
};
