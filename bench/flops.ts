/**
 * Floating-point operations of every case, for GFLOP/s: one for each addition, multiplication, division, comparison, root,
 * exponential, logarithm and erf in the formulas, whatever a library computes in addition.
 *
 * @module
 */

import {
  ADAMW_TENSORS,
  ATTENTION,
  CONV1D,
  CROSS_ENTROPY,
  CTC,
  ENCODER,
  GEMM_SIZES,
  gemmName,
  GROUP_NORM,
  POSITIONAL_CONV,
  ROWS,
} from "./workloads.ts";

/** A GEMM of [m, k] and [k, n]. */
const gemm = (m: number, k: number, n: number) => 2 * m * k * n;

/** Forward pass and the gradients of both operands: three GEMMs of equal cost. */
const WITH_GRADIENTS = 3;

/**
 * A norm, per element. Forward: mean 1, difference 1, variance 2, normalize 1, weight 1, bias 1. Backward:
 * normalize 2, times weight 1, two means 3, dx 3, dw 2, db 1.
 */
const NORM = 7 + 12;

/** GELU, per element. Forward: argument of erf 1, erf 1, 1 + erf 1, x / 2 1, multiplication 1; backward 11 with the density. */
const GELU = 5 + 11;

/** Per class of a row: maximum 1, difference 1, exponential 1, sum 1; softmax 1, difference 1, mean 1. */
const SOFTMAX_CROSS_ENTROPY = 4 + 3;

/** Per parameter: first moment 3, second 4, corrections 2, root 1, epsilon 1, quotient 1, rate 1, decay 1, update 1. */
const ADAMW_UPDATE = 15;

/** Per element: its square and the sum. The scale is applied where the gradient is read. */
const CLIP_GRAD_NORM = 2;

/** Per frame and state: log-sum of three paths and the emission 11, forward and backward; posterior 4. */
const CTC_STATE = 2 * 11 + 4;

/** Per frame and class: log-softmax 5, gradient 3. */
const CTC_CLASS = 5 + 3;

function attention(batch: number, frames: number, width: number): number {
  // Scores and contexts, without the softmax.
  return 2 * batch * gemm(frames, width, frames);
}

function trainStep(): number {
  const { layers, width, inner, frames, batch } = ENCODER;
  const rows = batch * frames;
  const layer = 4 * gemm(rows, width, width) + 2 * gemm(rows, width, inner) +
    attention(batch, frames, width);
  // The input needs no gradient, which saves three GEMMs of the first layer. Norms, GELU and AdamW are not counted.
  return WITH_GRADIENTS * layers * layer - 3 * gemm(rows, width, width);
}

/** Floating-point operations of one execution by case, in the order of the table. */
export function flopsByCase(): Map<string, number> {
  const framesOut = Math.floor((CONV1D.frames - CONV1D.kernel) / CONV1D.stride) + 1;
  const { channels, kernel, groups, frames } = POSITIONAL_CONV;
  return new Map([
    ...GEMM_SIZES.flatMap((size) =>
      [false, true].map((transposed) => [gemmName(size, transposed), gemm(...size)] as const)
    ),
    [
      "conv1d_512_k3_s2_t8000",
      WITH_GRADIENTS * gemm(framesOut, CONV1D.channels * CONV1D.kernel, CONV1D.channels),
    ],
    [
      "positional_conv_768_k128_g16_t500",
      WITH_GRADIENTS * gemm(frames, channels / groups * kernel, channels),
    ],
    [
      "attention_t256_h12_d64",
      WITH_GRADIENTS * attention(1, ATTENTION.frames, ATTENTION.heads * ATTENTION.headSize),
    ],
    ["layer_norm_512x3072", NORM * ROWS.rows * ROWS.columns],
    ["gelu_512x3072", GELU * ROWS.rows * ROWS.columns],
    ["softmax_cross_entropy_512x32", SOFTMAX_CROSS_ENTROPY * CROSS_ENTROPY.rows * CROSS_ENTROPY.classes],
    ["adamw_4m", ADAMW_UPDATE * ADAMW_TENSORS.count * ADAMW_TENSORS.size],
    ["train_step", trainStep()],
    ["group_norm_8000x512", NORM * GROUP_NORM.frames * GROUP_NORM.channels],
    ["clip_grad_norm_4m", CLIP_GRAD_NORM * ADAMW_TENSORS.count * ADAMW_TENSORS.size],
    [
      "ctc_b4_t200_v32_s40",
      CTC.batch * CTC.frames * (CTC_STATE * (2 * CTC.labels + 1) + CTC_CLASS * CTC.classes),
    ],
  ]);
}
