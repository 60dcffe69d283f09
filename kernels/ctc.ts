import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../tensor/dispatch.ts";
import { flatWindows } from "../tensor/binding_windows.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record, recording } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import source from "./ctc.wgsl" with { type: "text" };
import scaled from "./internal/_scaled.wgsl" with { type: "text" };
import pullback from "./internal/ctc_pullback.wgsl" with { type: "text" };
import { checkTargets, type PackedTargets, packTargets } from "./internal/ctc_targets.ts";
import { reduceLosses, type Reduction } from "./internal/reduce_losses.ts";
import { lanesOf, softmaxKernel } from "./internal/softmax_rows.ts";

const kernel = softmaxKernel("ctc", source, [scaled]);
const pullbackKernel = new Kernel("ctc_pullback", pullback, [index]);

/**
 * Loop iterations of an invocation stay below this: adapters stop an invocation silently at 65,535. A loop is counted once
 * more than it iterates.
 */
const ROUNDS = 60_000;

/** Bits of the values that WGSL has no literal for. */
const INFINITY = 0x7f800000;
const NOT_A_NUMBER = 0x7fc00000;

/** Largest working array, in bytes; larger batches are computed in groups of utterances. */
const LARGEST = 1 << 27;

/** Options of {@linkcode ctc}. */
export interface CtcOptions {
  /** Index of the blank; 0 unless given. */
  readonly blank?: number;
  /**
   * "mean" divides the loss of each utterance by max(1, number of its labels) and takes the mean over the batch, "sum" adds
   * the losses, "none" returns one per utterance; "mean" unless given.
   */
  readonly reduction?: Reduction;
  /** Whether infinite losses, and their gradients, become 0. */
  readonly zeroInfinity?: boolean;
}

/**
 * Connectionist temporal classification (Graves et al., ICML 2006): −log of the probability of all alignments of the target,
 * under a softmax over the labels at each frame, as torch.nn.functional.ctc_loss after a log-softmax. A target may be empty. A
 * target that does not fit in its frames gives Infinity, and NaN as the gradient of its frames. Frames beyond an utterance's
 * length are ignored.
 *
 * @param logits Raw scores, [B, T, V].
 * @param frameLengths Frames of each utterance, B whole numbers up to T.
 * @param targets Labels of each utterance, whole numbers below V other than the blank.
 * @returns [] or, for the reduction "none", [B].
 * @throws {TypeError} If logits is not f32 of three dimensions, or there is not one length and target per utterance.
 * @throws {RangeError} If there is no utterance, a length exceeds T, a label is out of range or the blank, or the working array
 * of one utterance, 8·T·max(V, 2·labels + 1) bytes, exceeds a binding.
 * @example
 * ```ts
 * import { ctc, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const loss = ctc(gpu.zeros([1, 2, 2]), [2], [[1]]); // 3 of 4 alignments: log(4 / 3) = 0.287682
 * console.log(await loss.read());
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
  const sizes = { frames, columns, states, kept: differentiate ? Math.max(1, frames) : 2 };
  const most = utterancesAtOnce(gpu, sizes);
  const weights = targets.map(({ length }) => reduction === "mean" ? 1 / (Math.max(1, length) * batch) : 1);
  const losses = gpu.empty([batch]);
  const dx = differentiate ? gpu.empty(x.shape) : null;
  for (let first = 0; first < batch; first += most) {
    const end = Math.min(first + most, batch);
    const packed = packTargets(
      gpu,
      frameLengths.slice(first, end),
      targets.slice(first, end),
      weights.slice(first, end),
      { columns, blank },
    );
    align(x, sizes, packed, { first, count: end - first, zeroInfinity, losses, dx });
    for (const tensor of Object.values(packed)) tensor.dispose();
  }
  const y = reduceLosses(losses, reduction);
  if (!dx) return y;
  record("ctc", [x], [y], ([dy]) => {
    // The forward pass wrote the gradients of the losses; here they are multiplied by dy.
    for (const window of flatWindows(gpu, dx.size)) {
      gpu.run(pullbackKernel, {
        bind: { dy: dy!, dx: { tensor: dx, ...window } },
        params: {
          n: window.length,
          first: window.start,
          utterance: frames * columns,
          each: reduction === "none" ? 1 : 0,
        },
        workgroups: Math.ceil(window.length / 256),
      });
    }
    return [dx.view()];
  }, [dx]);
  return y;
}

/** Sizes that all utterances of a batch share. */
interface Sizes {
  /** T. */
  readonly frames: number;
  /** V. */
  readonly columns: number;
  /** States of the longest target. */
  readonly states: number;
  /** Frames whose α is kept: all for the gradient, two otherwise. */
  readonly kept: number;
}

/** Utterances whose working arrays fit one binding. */
function utterancesAtOnce(gpu: Gpu, { frames, columns, states, kept }: Sizes): number {
  const bytes = 8 * Math.max(kept * states, frames * columns);
  const most = Math.floor(Math.min(gpu.limits.bindingBytes, LARGEST) / bytes);
  if (most > 0) return most;
  throw new RangeError(
    `Cannot take a CTC loss as the working array of an utterance must fit one binding of ${gpu.limits.bindingBytes} ` +
      `bytes: ${frames} frames of ${states} states and ${columns} labels need ${bytes}`,
  );
}

/** A group of utterances, and where their results are written. */
interface Group {
  /** Index of the first utterance in the batch. */
  readonly first: number;
  /** Number of utterances. */
  readonly count: number;
  /** Whether infinite losses become 0. */
  readonly zeroInfinity: boolean;
  /** Receives the weighted losses, [B]. */
  readonly losses: Tensor;
  /** Receives their gradients, [B, T, V]; null if there are none. */
  readonly dx: Tensor | null;
}

/** Computes losses and gradients of a group of utterances by the forward-backward algorithm. */
function align(x: Tensor, sizes: Sizes, packed: PackedTargets, group: Group): void {
  const { gpu } = x;
  const { frames, columns, states, kept } = sizes;
  const { first, count, zeroInfinity, losses, dx } = group;
  const { utterances, path, sorted_states, label_starts } = packed;
  const emission = gpu.empty([count, frames, columns, 2]);
  const alpha = gpu.empty([count, kept, states, 2]);
  const beta = gpu.empty([count, 2, states, 2]);
  const likelihood = gpu.empty([count, 2]);
  // The scores of these utterances, from the last element before them where a binding may start.
  const shift = first * frames * columns % 64;
  const start = first * frames * columns - shift;
  const part = (tensor: Tensor) => ({ tensor, start, length: shift + count * frames * columns });
  // A software adapter runs eight invocations at a time, and is slow at barriers of more.
  const width = gpu.software ? 8 : 256;
  const step = Math.max(1, Math.floor(ROUNDS / (2 + Math.ceil(states / width))));
  const begins = Array.from({ length: Math.max(1, Math.ceil(frames / step)) }, (_, i) => i * step);
  const infeasible = zeroInfinity
    ? { infeasible: 0, infeasible_slope: 0 }
    : { infeasible: INFINITY, infeasible_slope: NOT_A_NUMBER };
  const run = (entry: string, workgroups: number, bind: Record<string, Resource>, begin = 0) => {
    const end = Math.min(begin + step, frames);
    gpu.run(kernel, {
      entry,
      bind,
      params: { ...sizes, ...infeasible, count, first, shift, begin, end },
      constants: { LANES: lanesOf(columns), WIDTH: width },
      workgroups,
    });
  };

  const known = { utterances, emission, alpha, likelihood };
  const rows = count * frames;
  run("emissions", Math.ceil(rows * lanesOf(columns) / 64), { x: part(x), emission });
  for (const begin of begins) run("alphas", count, { ...known, path, y: losses }, begin);
  if (dx) {
    for (const begin of begins.toReversed()) run("betas", count, { ...known, path, beta }, begin);
    run("gradient", Math.ceil(rows * columns / 64), { ...known, sorted_states, label_starts, dx: part(dx) });
  }
  for (const tensor of [emission, alpha, beta, likelihood]) tensor.dispose();
}
