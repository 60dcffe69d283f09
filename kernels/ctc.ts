import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../tensor/bind_groups.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record, recording } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flatWindows } from "../tensor/binding_windows.ts";
import scaled from "./internal/_scaled.wgsl" with { type: "text" };
import { overLanes } from "./internal/over_lanes.ts";
import stridedBatchOf from "./internal/_softmax_row.wgsl" with { type: "text" };
import { reduceLosses, type Reduction } from "./cross_entropy.ts";
import source from "./ctc.wgsl" with { type: "text" };
import { checkTargets, packTargets } from "./internal/ctc_utterances.ts";
import pullback from "./internal/ctc_pullback.wgsl" with { type: "text" };
import { lanesOf } from "./log_softmax.ts";

const kernel = new Kernel("ctc", source, [scaled, stridedBatchOf, overLanes, index]);
const pullbackKernel = new Kernel("ctc_pullback", pullback, [index]);

/**
 * Rounds that a dispatch stays below: adapters stop an invocation silently at 65,535. A loop takes one more than it
 * has iterations.
 */
const ROUNDS = 60_000;

/** Bits of the values that WGSL has no literal for. */
const INFINITY = 0x7f800000;
const NOT_A_NUMBER = 0x7fc00000;

/** Most bytes of a working array; clips beyond go through it in turn. */
const LARGEST = 1 << 27;

/** Options of {@linkcode ctc}. */
export interface CtcOptions {
  /** Index of the blank; 0 unless given. */
  readonly blank?: number;
  /**
   * "mean" divides the loss of each clip by max(1, number of its labels) and averages over the clips, "sum" adds
   * them, "none" gives one per clip; "mean" unless given.
   */
  readonly reduction?: Reduction;
  /** Whether infinite losses, and their gradients, become 0. */
  readonly zeroInfinity?: boolean;
}

/**
 * Connectionist temporal classification: −log of the probability, under a softmax over the labels at each frame, of
 * all ways to read the target (Graves et al., ICML 2006), with the meaning of torch.nn.functional.ctc_loss after a
 * log-softmax. Targets may be empty. A target that does not fit in its frames gives Infinity, and NaN as the
 * gradient of its frames. Frames from a clip's length on count for nothing.
 *
 * @param logits Raw scores, [B, T, V].
 * @param frameLengths Frames of each clip, B whole numbers up to T.
 * @param targets Labels of each clip, whole numbers below V other than the blank.
 * @returns [] or, for the reduction "none", [B].
 * @throws {TypeError} If logits is not f32 of three dimensions, or there is not one length and target per clip.
 * @throws {RangeError} If there is no clip, a length exceeds T, a label is out of range or the blank, or the working
 * array of one clip, 8·T·max(V, 2·labels + 1) bytes, exceeds a binding.
 * @example
 * ```ts
 * import { ctc, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const loss = ctc(gpu.zeros([1, 2, 2]), [2], [[1]]); // 3 of 4 readings: log(4 / 3) = 0.287682
 * console.log(await loss.read());
 * gpu.destroy();
 * ```
 */
export function ctc(
  logits: Tensor,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  options: CtcOptions = {},
): Tensor {
  const { blank = 0, reduction = "mean", zeroInfinity = false } = options;
  const x = logits;
  const [batch, frames, columns] = checkTargets(x, frameLengths, targets, blank);
  const { gpu } = x;
  const states = 2 * Math.max(...targets.map((target) => target.length)) + 1;
  const differentiate = recording([x]);
  const kept = differentiate ? Math.max(1, frames) : 2;
  const bytes = 8 * Math.max(kept * states, frames * columns);
  const most = Math.floor(Math.min(gpu.limits.bindingBytes, LARGEST) / bytes);
  if (most === 0) {
    throw new RangeError(
      `Cannot take a CTC loss as the working array of a clip must fit one binding of ${gpu.limits.bindingBytes} ` +
        `bytes: ${frames} frames of ${states} states and ${columns} labels need ${bytes}`,
    );
  }
  const weights = targets.map(({ length }) => reduction === "mean" ? 1 / (Math.max(1, length) * batch) : 1);
  const losses = gpu.empty([batch]);
  const dx = differentiate ? gpu.empty(x.shape) : null;
  const lost = zeroInfinity ? { lost: 0, lost_slope: 0 } : { lost: INFINITY, lost_slope: NOT_A_NUMBER };
  const shared = { frames, columns, states, kept, ...lost };
  // A software adapter takes eight invocations at a time, and long over a barrier of more.
  const width = gpu.software ? 8 : 256;
  const step = Math.max(1, Math.floor(ROUNDS / (2 + Math.ceil(states / width))));

  for (let first = 0; first < batch; first += most) {
    const clips = Math.min(most, batch - first);
    const end = first + clips;
    const { clips: lengths, path, places, starts } = packTargets(
      gpu,
      frameLengths.slice(first, end),
      targets.slice(first, end),
      weights.slice(first, end),
      { columns, blank },
    );
    const emission = gpu.empty([clips, frames, columns, 2]);
    const alpha = gpu.empty([clips, kept, states, 2]);
    const beta = gpu.empty([clips, 2, states, 2]);
    const likelihood = gpu.empty([clips, 2]);
    // The scores of these clips, from the last element before them where a binding may start.
    const shift = first * frames * columns % 64;
    const start = first * frames * columns - shift;
    const slice = (tensor: Tensor): Resource => ({
      tensor,
      start,
      length: shift + clips * frames * columns,
    });
    const run = (entry: string, workgroups: number, bind: Record<string, Resource>, begin = 0) =>
      gpu.run(kernel, {
        entry,
        bind,
        params: { ...shared, clips, first, shift, begin, end: Math.min(begin + step, frames) },
        constants: { LANES: lanesOf(columns), WIDTH: width },
        workgroups,
      });
    const known = { clips: lengths, emission, alpha, likelihood };
    const parts = Array.from({ length: Math.max(1, Math.ceil(frames / step)) }, (_, part) => part * step);
    const rows = clips * frames;
    run("emissions", Math.ceil(rows * lanesOf(columns) / 64), { x: slice(x), emission });
    for (const begin of parts) run("alphas", clips, { ...known, path, y: losses }, begin);
    if (dx) {
      for (const begin of parts.reverse()) run("betas", clips, { ...known, path, beta }, begin);
      run("gradient", Math.ceil(rows * columns / 64), { ...known, places, starts, dx: slice(dx) });
    }
    for (const tensor of [lengths, path, places, starts, emission, alpha, beta, likelihood]) {
      tensor.dispose();
    }
  }

  const y = reduceLosses(losses, reduction);
  if (!dx) return y;
  record("ctc", [x], [y], ([dy]) => {
    for (const window of flatWindows(gpu, dx.size)) {
      gpu.run(pullbackKernel, {
        bind: { dy: dy!, dx: { tensor: dx, ...window } },
        params: {
          n: window.length,
          first: window.start,
          clip: frames * columns,
          each: reduction === "none" ? 1 : 0,
        },
        workgroups: Math.ceil(window.length / 256),
      });
    }
    return [dx.view()];
  }, [dx]);
  return y;
}
