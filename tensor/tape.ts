import { accumulate } from "./accumulate.ts";
import { fill } from "./fill.ts";
import type { Gpu } from "./gpu.ts";
import type { GradientSink } from "./gradient_sink.ts";
import { showShape, type Tensor } from "./tensor.ts";

/**
 * Computes the gradients of an operation's inputs from those of its outputs. `needs[i]` tells whether input i
 * wants one; the others may be null. It owns what it returns and must not return the tensors it was given:
 * use `view()` to pass one through.
 */
export type Pullback = (
  dys: readonly (Tensor | null)[],
  needs: readonly boolean[],
) => readonly (Tensor | null)[];

/** A recorded operation. */
export interface Step {
  /** Name for errors. */
  readonly op: string;
  /** What it read. */
  readonly inputs: readonly Tensor[];
  /** What it made. */
  readonly outputs: readonly Tensor[];
  /** Intermediate tensors that only the pullback needs. */
  readonly saved: readonly Tensor[];
  /** Memory for the gradients of the outputs, if the pullback wants them in a certain place. */
  readonly slot: GradientSink["slot"] | null;
  /** Gradients of the inputs from those of the outputs. */
  readonly pullback: (dys: readonly (Tensor | null)[]) => readonly (Tensor | null)[];
}

/** The operations that ran since it was last cleared, with their pullbacks. */
export class Tape {
  /** The recorded operations, oldest first. */
  readonly steps: Step[] = [];
  /** Depth of {@linkcode noGrad} calls. */
  paused = 0;
  /** Where gradients go while {@linkcode backward} runs; pullbacks ask it through {@linkcode gradientSlot}. */
  sink: Pick<GradientSink, "slot"> | null = null;
}

/** Whether an operation on these inputs will be recorded, so that it must save what its pullback needs. */
export function recording(inputs: readonly (Tensor | null)[]): boolean {
  const first = inputs.find((input) => input !== null);
  return !!first && first.gpu.tape.paused === 0 && inputs.some((input) => input?.needsGrad);
}

/**
 * Records an operation, if one of its inputs is followed.
 *
 * @param op Name for errors.
 * @param inputs What it read; null for an absent optional input.
 * @param outputs What it made.
 * @param pullback Gradients of the inputs, in their order.
 * @param saved Intermediate tensors that only the pullback needs; disposed with the record.
 * @param slot Memory for the gradient of an output, as {@linkcode GradientSink.slot} gives it; none unless given.
 * @example
 * ```ts
 * import { backward, record, requestGpu, scale, sum, type Tensor } from "../mod.ts";
 *
 * // x, whose gradient is turned round (Ganin and Lempitsky 2015, arXiv 1409.7495)
 * function reverse(x: Tensor): Tensor {
 *   const y = x.view();
 *   record("reverse", [x], [y], ([dy]) => [scale(dy!, -1)]);
 *   return y;
 * }
 *
 * const gpu = await requestGpu();
 * const x = gpu.tensor([1, 2]);
 * x.requiresGrad = true;
 * console.log(await backward(sum(reverse(x))).get(x)?.read()); // [-1, -1]
 * gpu.destroy();
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
 * const gpu = await requestGpu();
 * const x = gpu.tensor([1, 2]);
 * x.requiresGrad = true;
 * const y = noGrad(gpu, () => gelu(x));
 * console.log(y.tracked, gpu.tape.steps.length); // false 0
 * gpu.destroy();
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

/** Runs `fn` with recording, within {@linkcode noGrad} too, as a pullback that differentiates itself does. */
export function withGrad<T>(gpu: Gpu, fn: () => T): T {
  const { paused } = gpu.tape;
  gpu.tape.paused = 0;
  try {
    return fn();
  } finally {
    gpu.tape.paused = paused;
  }
}

/** How {@linkcode backward} starts and what it leaves. */
export interface BackwardOptions {
  /** Gradient of the output itself; ones unless given. Its shape is the output's. */
  readonly seed?: Tensor;
  /** Operation results to leave alive; all others on the tape are disposed as soon as they are of no use. */
  readonly keep?: readonly Tensor[];
  /** Tensors to return gradients of beside those that require one. */
  readonly wrt?: readonly Tensor[];
  /**
   * Where the gradients of tensors that require one go; what it takes is in no result, and its memory is free at once.
   * All are returned unless given.
   */
  readonly sink?: GradientSink;
}

/**
 * Walks the tape in reverse from `output` and returns the gradients of the tensors that require one. The tape is
 * empty afterwards, and the operation results on it are disposed, but for `output` and those to keep.
 *
 * @param output Tensor to differentiate, a scalar unless a seed is given.
 * @returns Gradient by tensor, of the same shape; a tensor that `output` does not depend on is absent.
 * @throws {TypeError} If `output` is no scalar and there is no seed, or if it was not recorded.
 * @example
 * ```ts
 * import { backward, gelu, requestGpu, sum } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const w = gpu.tensor([0, 1]);
 * w.requiresGrad = true;
 * const grads = backward(sum(gelu(w)));
 * console.log(await grads.get(w)?.read()); // [0.5, 1.083316]
 * gpu.destroy();
 * ```
 */
export function backward(output: Tensor, options: BackwardOptions = {}): Map<Tensor, Tensor> {
  const { gpu } = output;
  const { seed, keep = [], wrt = [], sink = null } = options;
  if (output.spent && !output.needsGrad) {
    throw new TypeError("Cannot differentiate as the tape of the output is spent: backward has run over it");
  }
  if (!output.needsGrad) {
    throw new TypeError("Cannot differentiate as no input of the output requires a gradient");
  }
  const fits = seed ? seed.shape.join() === output.shape.join() : output.size === 1;
  if (!fits) {
    const found = seed ? `seed is ${showShape(seed.shape)}, output` : "output";
    throw new TypeError(
      `Cannot differentiate as the seed must have the output's shape: ${found} is ${showShape(output.shape)}`,
    );
  }
  const kept = new Set([output, ...keep]);
  const wanted = new Set(wrt);
  const steps = gpu.tape.steps.splice(0);
  const grads = new Map<Tensor, Tensor>();
  withSink(gpu, slotsOf(steps, sink, gpu.tape.sink), () => {
    grads.set(output, seed ? seed.view() : fill(gpu, output.shape, 1));
    for (let step = steps.pop(); step; step = steps.pop()) {
      const dys = step.outputs.map((tensor) => grads.get(tensor) ?? null);
      if (dys.some((dy) => dy !== null)) {
        const found = step.pullback(dys);
        step.inputs.forEach((input, i) => {
          const part = check(step.op, input, found[i] ?? null);
          if (!part) return;
          if (input.requiresGrad && sink?.take(input, part)) part.dispose();
          else receive(grads, input, part);
        });
      }
      for (const tensor of step.outputs) {
        grads.get(tensor)?.dispose();
        grads.delete(tensor);
        tensor.tracked = false;
        tensor.spent = true;
        if (!kept.has(tensor)) tensor.dispose();
      }
      for (const tensor of step.saved) tensor.dispose();
    }
  });
  for (const [tensor, grad] of grads) {
    if (tensor.requiresGrad || wanted.has(tensor)) continue;
    grad.dispose();
    grads.delete(tensor);
  }
  return grads;
}

/** Slots of the gradients of leaves, of operations' outputs, and of what an outer {@linkcode backward} differentiates by. */
function slotsOf(steps: readonly Step[], sink: GradientSink | null, outer: Tape["sink"]): Tape["sink"] {
  const ofOutput = new Map<Tensor, GradientSink["slot"]>();
  for (const { outputs, slot } of steps) {
    if (slot) { for (const output of outputs) ofOutput.set(output, slot); }
  }
  const leaf = (tensor: Tensor) => tensor.requiresGrad ? sink?.slot(tensor) : null;
  return { slot: (tensor) => leaf(tensor) ?? ofOutput.get(tensor)?.(tensor) ?? outer?.slot(tensor) ?? null };
}

/** Runs `fn` without recording, gradients going to `sink`. */
function withSink(gpu: Gpu, sink: Tape["sink"], fn: () => void): void {
  const before = gpu.tape.sink;
  gpu.tape.sink = sink;
  try {
    noGrad(gpu, fn);
  } finally {
    gpu.tape.sink = before;
  }
}

/** A gradient that a pullback gave, if the input wants one. */
function check(op: string, input: Tensor, grad: Tensor | null): Tensor | null {
  if (!grad) return null;
  if (!input.needsGrad) {
    grad.dispose();
    return null;
  }
  if (grad.shape.join() !== input.shape.join()) {
    throw new TypeError(
      `Cannot pull back ${op} as the gradient must have the input's shape: ${showShape(grad.shape)} for ${
        showShape(input.shape)
      }`,
    );
  }
  return grad;
}

/** Adds a part of a gradient to those before it. */
function receive(grads: Map<Tensor, Tensor>, input: Tensor, grad: Tensor): void {
  const before = grads.get(input);
  if (!before) {
    grads.set(input, grad);
    return;
  }
  grads.set(input, accumulate(before, grad));
  grad.dispose();
}
