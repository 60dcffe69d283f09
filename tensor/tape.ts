import type { Gpu } from "./gpu.ts";
import type { GradientSink } from "./gradient_sink.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Computes the gradients of an operation's inputs, `dxs`, from those of its outputs, `dys`. `needs[i]` is whether input i
 * needs a gradient; the others may be null. The caller disposes what is returned, so it must not be one of `dys`: use
 * `view()` to pass a gradient through.
 */
export type Pullback = (
  dys: readonly (Tensor | null)[],
  needs: readonly boolean[],
) => readonly (Tensor | null)[];

/** A recorded operation. */
export interface Step {
  /** Name in error messages. */
  readonly op: string;
  /** Tensors that it read. */
  readonly inputs: readonly Tensor[];
  /** Tensors that it made. */
  readonly outputs: readonly Tensor[];
  /** Intermediate tensors that only the pullback needs. */
  readonly saved: readonly Tensor[];
  /** Memory for the gradients of the outputs, if the pullback wants them in a certain place. */
  readonly slot: GradientSink["slot"] | null;
  /** Gradients of the inputs from those of the outputs. */
  readonly pullback: (dys: readonly (Tensor | null)[]) => readonly (Tensor | null)[];
}

/** The recorded operations with their pullbacks, for reverse-mode differentiation. {@linkcode backward} empties it. */
export class Tape {
  /** The recorded operations, oldest first. */
  readonly steps: Step[] = [];
  /** Depth of nested {@linkcode noGrad} calls; above 0 nothing is recorded. */
  paused = 0;
  /** Where gradients go while {@linkcode backward} runs; pullbacks ask it through {@linkcode gradientSlot}. */
  sink: Pick<GradientSink, "slot"> | null = null;
}

/** Whether an operation on these inputs is to be recorded, so that it must save what its pullback needs. */
export function recording(inputs: readonly (Tensor | null)[]): boolean {
  const first = inputs.find((input) => input !== null);
  return !!first && first.gpu.tape.paused === 0 && inputs.some((input) => input?.needsGrad);
}

/**
 * Records an operation, if one of its inputs needs a gradient.
 *
 * @param op Name in error messages.
 * @param inputs Tensors that it read; null for an absent optional input.
 * @param outputs Tensors that it made.
 * @param pullback Gradients of the inputs, in their order.
 * @param saved Intermediate tensors that only the pullback needs; disposed with the record.
 * @param slot Memory for the gradient of an output, as {@linkcode GradientSink.slot} gives it; none unless given.
 * @example
 * ```ts
 * import { backward, record, requestGpu, scale, sum, type Tensor } from "../mod.ts";
 *
 * // Gradient reversal: the identity, whose gradient is negated (Ganin and Lempitsky 2015, arXiv 1409.7495).
 * function reverse(x: Tensor): Tensor {
 *   const y = x.view();
 *   record("reverse", [x], [y], ([dy]) => [scale(dy!, -1)]);
 *   return y;
 * }
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2]);
 * x.requiresGrad = true;
 * console.log(await backward(sum(reverse(x))).get(x)?.read()); // [-1, -1]
 * ```
 */
export function record(
  op: string,
  inputs: readonly (Tensor | null)[],
  outputs: readonly Tensor[],
  pullback: Pullback,
  saved: readonly Tensor[] = [],
  slot: GradientSink["slot"] | null = null,
): void {
  if (!recording(inputs)) {
    for (const tensor of saved) tensor.dispose();
    return;
  }
  const present = inputs.filter((input) => input !== null);
  const at = inputs.flatMap((input, index) => input ? [index] : []);
  for (const output of outputs) output.tracked = true;
  outputs[0]!.gpu.tape.steps.push({
    op,
    inputs: present,
    outputs,
    saved,
    slot,
    pullback: (dys) => {
      const needs = inputs.map((input) => input?.needsGrad ?? false);
      const grads = pullback(dys, needs);
      return at.map((index) => grads[index] ?? null);
    },
  });
}

/**
 * Runs `fn` without recording.
 *
 * @example
 * ```ts
 * import { gelu, noGrad, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2]);
 * x.requiresGrad = true;
 * const y = noGrad(gpu, () => gelu(x));
 * console.log(y.tracked, gpu.tape.steps.length); // false 0
 * ```
 */
export function noGrad<T>(gpu: Gpu, fn: () => T): T {
  gpu.tape.paused++;
  try {
    return fn();
  } finally {
    gpu.tape.paused--;
  }
}

/** Runs `fn` with recording even inside {@linkcode noGrad}, for a pullback that runs {@linkcode backward} itself. */
export function withGrad<T>(gpu: Gpu, fn: () => T): T {
  const { paused } = gpu.tape;
  gpu.tape.paused = 0;
  try {
    return fn();
  } finally {
    gpu.tape.paused = paused;
  }
}
