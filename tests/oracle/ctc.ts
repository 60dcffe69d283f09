import { logSoftmax } from "./log_softmax.ts";
import { type Nd, nd } from "./nd.ts";

/** Options of {@linkcode ctc}, with the meaning of torch.nn.functional.ctc_loss. */
export type CtcOptions = {
  /** Index of the blank, 0 by default. */
  blank?: number;
  /** "mean" divides each utterance's loss by max(1, target length), then takes the mean over them. */
  reduction?: "mean" | "sum" | "none";
  /** Infinite losses, and their gradients, become 0. */
  zeroInfinity?: boolean;
};

/**
 * CTC loss of raw logits [B, T, V]; the log-softmax is inside. Utterance b uses its first
 * frameLengths[b] frames and the labels targets[b], which may be empty. The result is [] or, for
 * reduction "none", [B]. A target that does not fit in its frames gives Infinity. Graves et al.,
 * "Connectionist temporal classification", ICML 2006.
 */
export function ctc(
  logits: Nd,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  options: CtcOptions = {},
): Nd {
  const B = check(logits, frameLengths, targets);
  const { reduction = "mean", zeroInfinity = false } = options;
  const log = logSoftmax(logits);
  const losses = targets.map((_, n) => {
    const { loss } = align(log, n, frameLengths, targets, options.blank ?? 0);
    return zeroInfinity && loss === Infinity ? 0 : loss;
  });
  if (reduction === "none") return nd([B], losses);
  const total = losses.reduce((sum, loss, n) => sum + loss * weightOf(n, targets, reduction), 0);
  return nd([], [total]);
}

/**
 * Gradient of sum(ctc · cotangent) with respect to the logits, in closed form; the cotangent is
 * [] or, for reduction "none", [B]. As in PyTorch, frames at and beyond an utterance's length get 0;
 * an infeasible utterance gets 0 with `zeroInfinity` and NaN on its valid frames without.
 */
export function ctcGradient(
  logits: Nd,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  options: CtcOptions = {},
  cotangent: Nd | null = null,
): Nd {
  check(logits, frameLengths, targets);
  const { reduction = "mean", zeroInfinity = false } = options;
  const [, T, V] = logits.shape as [number, number, number];
  const log = logSoftmax(logits);
  const dx = nd(logits.shape);
  targets.forEach((_, n) => {
    const utterance = align(log, n, frameLengths, targets, options.blank ?? 0);
    if (zeroInfinity && utterance.loss === Infinity) return;
    const upstream = cotangent === null ? 1 : cotangent.data[reduction === "none" ? n : 0]!;
    const factor = upstream * weightOf(n, targets, reduction);
    for (let t = 0; t < frameLengths[n]!; t++) {
      const row = (n * T + t) * V;
      for (let v = 0; v < V; v++) {
        dx.data[row + v] = utterance.loss === Infinity ? NaN : factor * Math.exp(log.data[row + v]!);
      }
      // The share of all alignments that pass through state s at frame t.
      utterance.states.forEach((label, s) => {
        const share = Math.exp(utterance.forward[t]![s]! + utterance.backward[t]![s]! + utterance.loss);
        dx.data[row + label]! -= factor * share;
      });
    }
  });
  return dx;
}

function weightOf(
  n: number,
  targets: readonly (readonly number[])[],
  reduction: "mean" | "sum" | "none",
): number {
  if (reduction !== "mean") return 1;
  return 1 / Math.max(1, targets[n]!.length) / targets.length;
}

// forward[t][s]: log probability of all paths that reach state s at t, its label included;
// backward[t][s]: of all paths that continue from there, the label at t excluded.
function align(
  log: Nd,
  n: number,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  blank: number,
) {
  const [, T, V] = log.shape as [number, number, number];
  const frames = frameLengths[n]!;
  const states = [blank, ...targets[n]!.flatMap((label) => [label, blank])];
  const S = states.length;
  const emit = (t: number, s: number) => log.data[(n * T + t) * V + states[s]!]!;
  // Two states ahead is allowed onto a label that differs from the one before it.
  const skips = (s: number) => s >= 2 && states[s] !== blank && states[s] !== states[s - 2];
  const empty = () => Array.from({ length: frames }, () => new Array<number>(S).fill(-Infinity));
  const forward = empty();
  const backward = empty();
  if (frames === 0) {
    return { states, forward, backward, loss: S === 1 ? 0 : Infinity };
  }
  for (let t = 0; t < frames; t++) {
    for (let s = 0; s < S; s++) {
      const paths = t === 0 ? [s < 2 ? 0 : -Infinity] : [forward[t - 1]![s]!];
      if (t > 0 && s >= 1) paths.push(forward[t - 1]![s - 1]!);
      if (t > 0 && skips(s)) paths.push(forward[t - 1]![s - 2]!);
      forward[t]![s] = logSum(paths) + emit(t, s);
    }
  }
  for (let t = frames - 1; t >= 0; t--) {
    for (let s = 0; s < S; s++) {
      if (t === frames - 1) {
        backward[t]![s] = s >= S - 2 ? 0 : -Infinity;
        continue;
      }
      const paths = [backward[t + 1]![s]! + emit(t + 1, s)];
      if (s + 1 < S) paths.push(backward[t + 1]![s + 1]! + emit(t + 1, s + 1));
      if (s + 2 < S && skips(s + 2)) {
        paths.push(backward[t + 1]![s + 2]! + emit(t + 1, s + 2));
      }
      backward[t]![s] = logSum(paths);
    }
  }
  const ends = forward[frames - 1]!.slice(-2);
  return { states, forward, backward, loss: -logSum(ends) };
}

function logSum(values: number[]): number {
  const largest = Math.max(...values);
  if (largest === -Infinity) return -Infinity;
  return largest +
    Math.log(values.reduce((sum, v) => sum + Math.exp(v - largest), 0));
}

function check(logits: Nd, frameLengths: readonly number[], targets: readonly (readonly number[])[]): number {
  const [B, T] = logits.shape as [number, number, number];
  if (
    logits.shape.length !== 3 || frameLengths.length !== B ||
    targets.length !== B || frameLengths.some((length) => length > T)
  ) {
    throw new TypeError(
      `Cannot take a CTC loss as there must be one length up to T and one target per utterance: logits are [${logits.shape}], lengths are [${frameLengths}], targets are ${targets.length}`,
    );
  }
  return B;
}
