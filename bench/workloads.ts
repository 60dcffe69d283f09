/**
 * The cases of the benchmark: sizes, and inputs that are bit-identical for all libraries, so that values can be compared.
 *
 * Activations are channels-last, `[B, T, C]`; convolution weights are `[C_out, C_in / groups, K]`, as in checkpoints; a
 * linear layer's weight is `[in, out]`. A library with another layout permutes on the host, untimed.
 *
 * @module
 */

import { type HostTensor, permute, uniform, uniformTensor } from "./inputs.ts";

/** Sizes M, K, N of the GEMMs, each also measured as A·Bᵀ. */
export const GEMM_SIZES: readonly (readonly [number, number, number])[] = [
  [512, 768, 768],
  [512, 768, 3072],
  [1024, 1024, 1024],
];

/** The second convolution layer of wav2vec2-base on 2.5 s of speech, valid padding, no bias. */
export const CONV1D = { channels: 512, kernel: 3, stride: 2, frames: 8000 };

/** The positional convolution of wav2vec2-base on 10 s: padded by 64 on both sides, without the last frame, so that T stays. */
export const POSITIONAL_CONV = { channels: 768, kernel: 128, groups: 16, frames: 500, padding: 64 };

/** The attention of wav2vec2-base on 5 s. */
export const ATTENTION = { frames: 256, heads: 12, headSize: 64 };

/** The inner layer of wav2vec2-base's feed-forward block, for norm and activation. */
export const ROWS = { rows: 512, columns: 3072 };

/** Frames and classes of the cross-entropy, mean over frames. */
export const CROSS_ENTROPY = { rows: 512, classes: 32 };

/** The group norm of wav2vec2-base after its first convolution, on 2.5 s of speech, one group per channel. */
export const GROUP_NORM = { frames: 8000, channels: 512 };

/** Utterances, frames, classes with the blank, and labels of each utterance; mean over labels, then over utterances. */
export const CTC = { batch: 4, frames: 200, classes: 32, labels: 40 };

/** Number of tensors, and elements of each, of the optimizer case. */
export const ADAMW_TENSORS = { count: 4, size: 1 << 20 };

/** AdamW as the training step uses it; decay is decoupled, the second moment's root gets epsilon after bias correction. */
export const ADAMW = { learningRate: 1e-4, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

/** Epsilon of every layer norm. */
export const NORM_EPSILON = 1e-5;

/** The encoder of the training step: post-norm layers, GELU in erf form, biases everywhere, mean squared error. */
export const ENCODER = { layers: 4, width: 256, heads: 4, inner: 1024, frames: 200, batch: 4 };

/** Operands of a GEMM: `a` is [M, K]; `b` is [K, N], or its transpose [N, K] for A·Bᵀ, with the same result. */
export function gemmInputs(
  m: number,
  k: number,
  n: number,
  transposed: boolean,
): { a: HostTensor; b: HostTensor } {
  const b = uniformTensor([k, n], 2);
  return { a: uniformTensor([m, k], 1), b: transposed ? permute(b, [1, 0]) : b };
}

/** Name of a GEMM case. */
export function gemmName([m, k, n]: readonly [number, number, number], transposed: boolean): string {
  return `gemm_${m}x${k}x${n}${transposed ? "_nt" : ""}`;
}

/** Inputs of a case with gradients: every input gets the gradient of sum(output · cotangent). */
export interface GradientInputs<Inputs extends HostTensor[] = HostTensor[]> {
  inputs: Inputs;
  cotangent: HostTensor;
}

/** Inputs x [1, T, C] and w [C_out, C_in, K]. */
export function conv1dInputs(): GradientInputs<[HostTensor, HostTensor]> {
  const { channels, kernel, stride, frames } = CONV1D;
  return {
    inputs: [
      uniformTensor([1, frames, channels], 10),
      uniformTensor([channels, channels, kernel], 11, 1 / Math.sqrt(channels * kernel)),
    ],
    cotangent: uniformTensor([1, Math.floor((frames - kernel) / stride) + 1, channels], 12),
  };
}

/** Inputs x [1, T, C] and w [C_out, C_in / groups, K], without weight norm or bias. */
export function positionalConvInputs(): GradientInputs<[HostTensor, HostTensor]> {
  const { channels, kernel, groups, frames } = POSITIONAL_CONV;
  const inGroup = channels / groups;
  return {
    inputs: [
      uniformTensor([1, frames, channels], 20),
      uniformTensor([channels, inGroup, kernel], 21, 1 / Math.sqrt(inGroup * kernel)),
    ],
    cotangent: uniformTensor([1, frames, channels], 22),
  };
}

/** Inputs q, k and v, each [T, heads · head size]. */
export function attentionInputs(): GradientInputs {
  const { frames, heads, headSize } = ATTENTION;
  const shape = [frames, heads * headSize];
  return {
    // Scaled so that the softmax is neither flat nor saturated.
    inputs: [uniformTensor(shape, 30, 2), uniformTensor(shape, 31, 2), uniformTensor(shape, 32)],
    cotangent: uniformTensor(shape, 33),
  };
}

/** Inputs x [rows, columns], weight and bias [columns]. */
export function layerNormInputs(): GradientInputs {
  const { rows, columns } = ROWS;
  return {
    inputs: [uniformTensor([rows, columns], 40), uniformTensor([columns], 41), uniformTensor([columns], 42)],
    cotangent: uniformTensor([rows, columns], 43),
  };
}

/** Input x [rows, columns]. */
export function geluInputs(): GradientInputs {
  const { rows, columns } = ROWS;
  return { inputs: [uniformTensor([rows, columns], 50, 3)], cotangent: uniformTensor([rows, columns], 51) };
}

/** Logits [rows, classes], and the class of each row. */
export function crossEntropyInputs(): { logits: HostTensor; labels: Int32Array<ArrayBuffer> } {
  const { rows, classes } = CROSS_ENTROPY;
  return {
    logits: uniformTensor([rows, classes], 60, 4),
    labels: Int32Array.from(uniform(rows, 61), (value) => Math.floor(((value + 1) / 2) * classes)),
  };
}

/** Inputs x [1, T, C], weight and bias [C]. */
export function groupNormInputs(): GradientInputs {
  const { frames, channels } = GROUP_NORM;
  return {
    inputs: [
      uniformTensor([1, frames, channels], 62),
      uniformTensor([channels], 63),
      uniformTensor([channels], 64),
    ],
    cotangent: uniformTensor([1, frames, channels], 65),
  };
}

/** Logits [B, T, V], and the labels of each utterance, without the blank 0. */
export function ctcInputs(): { logits: HostTensor; targets: number[][] } {
  const { batch, frames, classes, labels } = CTC;
  return {
    logits: uniformTensor([batch, frames, classes], 66, 4),
    targets: Array.from(
      { length: batch },
      (_, utterance) =>
        Array.from(
          uniform(labels, 67 + utterance),
          (value) => 1 + Math.floor(((value + 1) / 2) * (classes - 1)),
        ),
    ),
  };
}

/** Parameters and their gradients for the optimizer case; both moments start at zero. */
export function adamwInputs(): { parameters: HostTensor[]; gradients: HostTensor[] } {
  const { count, size } = ADAMW_TENSORS;
  return {
    parameters: Array.from({ length: count }, (_, i) => uniformTensor([size], 80 + i)),
    gradients: Array.from({ length: count }, (_, i) => uniformTensor([size], 90 + i, 0.1)),
  };
}

/** The encoder's input and target, `[batch, frames, width]`. */
export function encoderData(): { input: HostTensor; target: HostTensor } {
  const { batch, frames, width } = ENCODER;
  return {
    input: uniformTensor([batch, frames, width], 70),
    target: uniformTensor([batch, frames, width], 71),
  };
}

/** Names of the parameters of one encoder layer, in the order of their seeds. */
export const ENCODER_KEYS = [
  "qWeight",
  "qBias",
  "kWeight",
  "kBias",
  "vWeight",
  "vBias",
  "outWeight",
  "outBias",
  "norm1Weight",
  "norm1Bias",
  "upWeight",
  "upBias",
  "downWeight",
  "downBias",
  "norm2Weight",
  "norm2Bias",
] as const;

/** The parameters of one encoder layer, by name. */
export type EncoderLayer<T> = { [key in typeof ENCODER_KEYS[number]]: T };

/** Initial parameters of the encoder: weights uniform within 1/√in, biases within 0.02, norms at one and zero. */
export function encoderLayers(): EncoderLayer<HostTensor>[] {
  const { layers, width, inner } = ENCODER;
  return Array.from({ length: layers }, (_, layer) => {
    let seed = 100 + 32 * layer;
    const weight = (rows: number, columns: number) =>
      uniformTensor([rows, columns], seed++, 1 / Math.sqrt(rows));
    const bias = (size: number) => uniformTensor([size], seed++, 0.02);
    const constant = (value: number) => ({ values: new Float32Array(width).fill(value), shape: [width] });
    return {
      qWeight: weight(width, width),
      qBias: bias(width),
      kWeight: weight(width, width),
      kBias: bias(width),
      vWeight: weight(width, width),
      vBias: bias(width),
      outWeight: weight(width, width),
      outBias: bias(width),
      norm1Weight: constant(1),
      norm1Bias: constant(0),
      upWeight: weight(width, inner),
      upBias: bias(inner),
      downWeight: weight(inner, width),
      downBias: bias(width),
      norm2Weight: constant(1),
      norm2Bias: constant(0),
    };
  });
}
