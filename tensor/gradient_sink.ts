// Where gradients land: the one place that decides which memory a pullback writes to.

import type { Tensor } from "./tensor.ts";

/**
 * A destination of gradients, such as an optimizer. Before a pullback computes a gradient, the sink may provide the memory for
 * it; afterwards {@linkcode backward} offers it the gradient. No copy is needed where the pullback wrote to that memory.
 *
 * A tensor that is used several times has several parts of its gradient. Each part is offered by itself, and their sum is the
 * gradient.
 */
export interface GradientSink {
  /**
   * The memory for the next part of a tensor's gradient.
   *
   * @param tensor The tensor to differentiate by.
   * @returns A tensor of its shape without defined content, which the caller writes, offers to `take` and disposes; null if
   * the part may be anywhere.
   */
  slot(tensor: Tensor): Tensor | null;
  /**
   * Adds a part of a tensor's gradient.
   *
   * @param tensor The tensor to differentiate by.
   * @param part The part, of its shape: in the memory that `slot` gave, or elsewhere. It stays the caller's.
   * @returns Whether the part was added; else it is a part of what {@linkcode backward} returns.
   */
  take(tensor: Tensor, part: Tensor): boolean;
  /** Called when a tensor that requires a gradient gets no further part in this backward pass; it may have had none. */
  done?(tensor: Tensor): void;
}

/** Sinks as one: each gradient goes to the first that has a slot for it or takes it. */
export function firstOf(...sinks: readonly GradientSink[]): GradientSink {
  return {
    slot(tensor) {
      for (const sink of sinks) {
        const slot = sink.slot(tensor);
        if (slot) return slot;
      }
      return null;
    },
    take: (tensor, part) => sinks.some((sink) => sink.take(tensor, part)),
    done(tensor) {
      for (const sink of sinks) sink.done?.(tensor);
    },
  };
}

/**
 * The tensor that a pullback writes the gradient of an input to: of the input's shape, without defined content, in the slot
 * of the sink that waits for it, if there is one. Ask once for each input, and return the tensor from the pullback.
 *
 * @param input Input of the operation.
 * @example
 * ```ts
 * import { backward, gradientSlot, record, requestGpu, type Tensor } from "../mod.ts";
 *
 * // The identity, whose gradient is copied to where the sink of `backward` has room for it.
 * function identity(x: Tensor): Tensor {
 *   const y = x.view();
 *   record("identity", [x], [y], ([dy]) => {
 *     const dx = gradientSlot(x);
 *     x.gpu.copy(dy!, dx);
 *     return [dx];
 *   });
 *   return y;
 * }
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([3], []);
 * x.requiresGrad = true;
 * const slot = gpu.zeros([]);
 * backward(identity(x), { sink: { slot: () => slot.view(), take: () => true } });
 * console.log(await slot.read()); // [1]
 * ```
 */
export function gradientSlot(input: Tensor): Tensor {
  const { gpu } = input;
  return gpu.tape.sink?.slot(input) ?? gpu.empty(input.shape);
}
