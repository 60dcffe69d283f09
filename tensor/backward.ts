import { accumulate } from "./accumulate.ts";
import { fill } from "./fill.ts";
import type { Gpu } from "./gpu.ts";
import type { GradientSink } from "./gradient_sink.ts";
import { showShape } from "./shape.ts";
import { noGrad, type Step, type Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** Options of {@linkcode backward}. */
export interface BackwardOptions {
  /** Gradient of the output, of its shape; ones unless given. */
  readonly gradient?: Tensor;
  /** Results of operations to keep; all others on the tape are disposed as soon as they are no longer needed. */
  readonly keep?: readonly Tensor[];
  /** Tensors to return the gradients of, beside those that require one. */
  readonly wrt?: readonly Tensor[];
  /**
   * Where gradients of tensors that require one go. Gradients that it takes are not returned, and their memory is free at
   * once.
   */
  readonly sink?: GradientSink;
}

/**
 * Reverse-mode differentiation: runs the pullbacks on the tape from `output` back and returns the gradients of the tensors that
 * require one. The tape is empty afterwards, and the results of operations on it are disposed, except `output` and those to
 * keep.
 *
 * @param output Tensor to differentiate, of one element unless its gradient is given.
 * @returns Gradient by tensor, of the same shape; a tensor that `output` does not depend on is absent.
 * @throws {TypeError} If `output` has several elements and no gradient is given, it has another shape, no input of the output
 * requires a gradient, or backward has run over its tape already.
 * @example
 * ```ts
 * import { backward, gelu, requestGpu, sum } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const w = gpu.tensor([0, 1]);
 * w.requiresGrad = true;
 * const grads = backward(sum(gelu(w)));
 * console.log(await grads.get(w)?.read()); // [0.5, 1.083316]
 * ```
 */
export function backward(output: Tensor, options: BackwardOptions = {}): Map<Tensor, Tensor> {
  const { gpu } = output;
  const { gradient, keep = [], wrt = [], sink = null } = options;
  if (output.spent && !output.needsGrad) {
    throw new TypeError("Cannot differentiate as the tape of the output is spent: backward has run over it");
  }
  if (!output.needsGrad) {
    throw new TypeError("Cannot differentiate as no input of the output requires a gradient");
  }
  const fits = gradient ? gradient.shape.join() === output.shape.join() : output.size === 1;
  if (!fits) {
    const found = gradient ? `gradient is ${showShape(gradient.shape)}, output` : "output";
    throw new TypeError(
      `Cannot differentiate as the gradient must have the output's shape: ${found} is ${
        showShape(output.shape)
      }`,
    );
  }
  const kept = new Set([output, ...keep]);
  const others = new Set(wrt);
  const steps = gpu.tape.steps.splice(0);
  const grads = new Map<Tensor, Tensor>();
  const lastUses = sink?.done ? lastUsesOf(steps) : null;
  withSink(gpu, slotsOf(steps, sink, gpu.tape.sink), () => {
    grads.set(output, gradient ? gradient.view() : fill(gpu, output.shape, 1));
    for (let step = steps.pop(); step; step = steps.pop()) {
      const dys = step.outputs.map((tensor) => grads.get(tensor) ?? null);
      if (dys.some((dy) => dy !== null)) {
        const parts = step.pullback(dys);
        step.inputs.forEach((input, i) => {
          const part = check(step.op, input, parts[i] ?? null);
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
      for (const tensor of lastUses?.get(step) ?? []) sink!.done!(tensor);
    }
  });
  for (const [tensor, grad] of grads) {
    if (tensor.requiresGrad || others.has(tensor)) continue;
    grad.dispose();
    grads.delete(tensor);
  }
  return grads;
}

/** The leaves by the step whose pullback gives the last part of their gradient: the first that reads them. */
function lastUsesOf(steps: readonly Step[]): Map<Step, Tensor[]> {
  const seen = new Set<Tensor>();
  const uses = new Map<Step, Tensor[]>();
  for (const step of steps) {
    for (const input of step.inputs) {
      if (!input.requiresGrad || seen.has(input)) continue;
      seen.add(input);
      uses.set(step, [...uses.get(step) ?? [], input]);
    }
  }
  return uses;
}

/**
 * Where a pullback may write a gradient: in the sink's slot for a leaf, in an operation's own slot for its output, or in a slot
 * of an outer {@linkcode backward}, which gradient checkpointing runs in.
 */
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

/** The gradient that a pullback returned, if the input needs one. */
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

/** Adds a part of a gradient to the parts before it. */
function receive(grads: Map<Tensor, Tensor>, input: Tensor, grad: Tensor): void {
  const before = grads.get(input);
  if (!before) {
    grads.set(input, grad);
    return;
  }
  grads.set(input, accumulate(before, grad));
  grad.dispose();
}
