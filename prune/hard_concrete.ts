// Hard-concrete gates (Louizos, Welling and Kingma 2018, arXiv 1712.01312): a gate z has one parameter a, its log-alpha.
//
//     s = σ((ln u − ln(1 − u) + a)/β)      z = clamp(s·(r − l) + l, 0, 1)      u ~ U(ε, 1 − ε)
//     p(a) = P(z > 0) = σ(a − β·ln(−l/r))  P(z = 1) = σ(a + β·ln(−l/r))
//     dz/da = s·(1 − s)·(r − l)/β inside (0, 1), else 0
//
// All values are float64 on the host: a model has 40 thousand gates at most.

import { philox, type RandomStream, streamParams } from "../random/philox.ts";

/** Temperature β. */
export const BETA = 2 / 3;

/** The interval [l, r] that samples are stretched to before they are clamped. */
export const STRETCH: readonly [l: number, r: number] = [-0.1, 1.1];

/** Distance ε of u from 0 and 1. */
export const EPSILON = 1e-6;

/** Factor of log-alpha in deterministic gates, as in the published code (DPHuBERT, arXiv 2305.17651). */
export const EVALUATION_SCALE = 0.8;

/** −β·ln(−l/r), 1.5986. */
const OFFSET = -BETA * Math.log(-STRETCH[0] / STRETCH[1]);

/** Smallest normal float32: a gate above 0 here is above 0 on the device. */
const SMALLEST = 2 ** -126;

/** σ(x) = 1/(1 + e^−x). */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** A training sample of gates, and its derivative. */
export interface GateSample {
  /** Gates, 0 to 1. */
  readonly z: Float64Array;
  /** dz/da. */
  readonly slope: Float64Array;
}

/**
 * Gates of a training step, z and dz/da.
 *
 * @param logAlpha Log-alphas a of the gates.
 * @param u Uniform noise in (0, 1), as many values, see {@linkcode drawGateNoise}.
 *
 * @example
 * ```ts
 * import { sampleGates } from "./hard_concrete.ts";
 *
 * sampleGates([0, 9], [0.5, 0.5]).z; // 0.5 and 1
 * ```
 */
export function sampleGates(logAlpha: ArrayLike<number>, u: ArrayLike<number>): GateSample {
  const [l, r] = STRETCH;
  const z = new Float64Array(logAlpha.length);
  const slope = new Float64Array(logAlpha.length);
  for (let i = 0; i < z.length; i++) {
    const s = sigmoid((Math.log(u[i]!) - Math.log1p(-u[i]!) + logAlpha[i]!) / BETA);
    const stretched = s * (r - l) + l;
    z[i] = Math.min(1, Math.max(0, stretched));
    if (stretched > 0 && stretched < 1) slope[i] = s * (1 - s) * (r - l) / BETA;
  }
  return { z, slope };
}

/** P(z > 0), the expected L0 norm of one gate. @param a Its log-alpha. */
export function openProbability(a: number): number {
  return sigmoid(a + OFFSET);
}

/** dP(z > 0)/da = p·(1 − p). @param a Log-alpha. */
export function dExpectedL0(a: number): number {
  return sigmoid(a + OFFSET) * sigmoid(-a - OFFSET);
}

/** P(z = 1). @param a Log-alpha. */
export function fullProbability(a: number): number {
  return sigmoid(a - OFFSET);
}

/** Expected number of open gates, Σ P(z > 0). @param logAlpha Log-alphas of the gates. */
export function expectedOpen(logAlpha: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < logAlpha.length; i++) sum += openProbability(logAlpha[i]!);
  return sum;
}

/**
 * The deterministic value of a kept gate, σ(0.8·a/β); at least the smallest normal float32, so that it stays open.
 *
 * @param a Its log-alpha.
 */
export function keptGate(a: number): number {
  return Math.max(SMALLEST, sigmoid(EVALUATION_SCALE * a / BETA));
}

/** Number of gates that deterministic gates keep: n − round(n − Σp), halves to the even number as in Python. */
export function evaluationCount(logAlpha: ArrayLike<number>): number {
  return logAlpha.length - roundHalfEven(logAlpha.length - expectedOpen(logAlpha));
}

/**
 * Deterministic gates: σ(0.8·a/β) for the `kept` largest log-alphas, 0 for the others.
 *
 * @param logAlpha Log-alphas of a group.
 * @param kept Number of gates to keep; default: {@linkcode evaluationCount}.
 *
 * @example
 * ```ts
 * import { evaluationGates } from "./hard_concrete.ts";
 *
 * evaluationGates([4.6, 4.6, -4]); // 0.996, 0.996, 0
 * ```
 */
export function evaluationGates(
  logAlpha: ArrayLike<number>,
  kept: number = evaluationCount(logAlpha),
): Float64Array {
  const gates = new Float64Array(logAlpha.length);
  for (const i of ranked(logAlpha).slice(0, kept)) gates[i] = keptGate(logAlpha[i]!);
  return gates;
}

/** Indices of values from the largest to the smallest; equal values keep their order. */
export function ranked(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, i) => i).sort((i, j) => values[j]! - values[i]!);
}

/**
 * Initial log-alphas: normally distributed with mean ln((1 − drop)/drop).
 *
 * @param count Number of gates.
 * @param stream Seed and purpose, such as `log-alpha conv.0`.
 * @param options Initial drop rate and standard deviation; default: 0.01 both.
 *
 * @example
 * ```ts
 * import { initialLogAlpha } from "./hard_concrete.ts";
 *
 * initialLogAlpha(512, { seed: 1, purpose: "log-alpha conv.0", step: 0 }); // near 4.595
 * ```
 */
export function initialLogAlpha(
  count: number,
  stream: RandomStream,
  options: { readonly drop?: number; readonly deviation?: number } = {},
): Float64Array {
  const { drop = 0.01, deviation = 0.01 } = options;
  const mean = Math.log((1 - drop) / drop);
  const u = uniforms(2 * count, stream);
  // Box and Muller 1958; 1 − u is never 0.
  return Float64Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(1 - u[2 * i]!));
    return mean + deviation * radius * Math.cos(2 * Math.PI * u[2 * i + 1]!);
  });
}

/** Noise u of {@linkcode sampleGates}, uniform in (ε, 1 − ε). @param count Number of gates. */
export function drawGateNoise(count: number, stream: RandomStream): Float64Array {
  return uniforms(count, stream).map((u) => EPSILON + (1 - 2 * EPSILON) * u);
}

/** The values of `uniformAt`, four per call of Philox. */
function uniforms(count: number, stream: RandomStream): Float64Array {
  const { seed, purpose, step } = streamParams(stream);
  const values = new Float64Array(count);
  for (let at = 0; at < count; at += 4) {
    const words = philox([at / 4, 0, step, 0], [seed, purpose]);
    for (let i = 0; i < Math.min(4, count - at); i++) values[at + i] = (words[i]! >>> 8) * 2 ** -24;
  }
  return values;
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
