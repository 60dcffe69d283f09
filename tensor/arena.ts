import index from "./_index.wgsl" with { type: "text" };
import addition from "./accumulate.wgsl" with { type: "text" };
import { alignOf, roundUp } from "./align.ts";
import type { Gpu } from "./gpu.ts";
import { runEach, wideKernel } from "./rows.ts";
import type { DType } from "./dtype.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

const kernels = wideKernel("accumulate", addition, [index]);

/**
 * Splits a list of tensors, in order, into runs that fit one arena each.
 *
 * @param sizes Elements of each tensor.
 * @param capacity Elements that an arena holds at most; a larger tensor gets an arena to itself.
 * @returns For each arena, the indices of its tensors.
 */
export function splitIntoArenas(sizes: readonly number[], capacity: number): number[][] {
  const arenas: number[][] = [];
  let used = Infinity;
  sizes.forEach((size, tensor) => {
    const slot = roundUp(size);
    if (used + slot <= capacity) {
      arenas.at(-1)!.push(tensor);
      used += slot;
    } else {
      arenas.push([tensor]);
      used = slot;
    }
  });
  return arenas;
}

/**
 * Several tensors of one type in a single buffer, so that one dispatch updates all of them. Each slot starts at a multiple of
 * 256 bytes; the elements between slots are 0.
 */
export class Arena {
  /** All elements, in one dimension. */
  readonly flat: Tensor;
  /** The tensors of the given shapes, views of `flat`. */
  readonly slots: readonly Tensor[];

  /** An arena of zeros. @param gpu Device. @param shapes Shapes of the slots. @param dtype Element type of all. */
  constructor(gpu: Gpu, shapes: readonly (readonly number[])[], dtype: DType = "f32") {
    let size = 0;
    const starts = shapes.map((shape) => {
      const start = size;
      size += roundUp(sizeOf(shape), alignOf(dtype));
      return start;
    });
    this.flat = gpu.zeros([size], dtype);
    this.slots = shapes.map((shape, i) => new Tensor(gpu, this.flat.storage, shape, dtype, starts[i]!));
  }

  /** Writes `x` to slot `i`, or zeros if `x` is null. */
  write(i: number, x: Tensor | null): void {
    const slot = this.slots[i]!;
    using zeros = x ? null : slot.gpu.zeros(slot.shape, slot.dtype);
    slot.gpu.copy(x ?? zeros!, slot);
  }

  /** Adds `x` to slot `i`. */
  add(i: number, x: Tensor): void {
    runEach(x.gpu, kernels, x.size, { each: { x, y: this.slots[i]! } });
  }

  /** Moves tensors to the slots, in order. The tensors stay valid; views made of them before keep the old storage. */
  adopt(tensors: readonly Tensor[]): void {
    tensors.forEach((tensor, slot) => {
      this.write(slot, tensor);
      tensor.rebase(this.flat.storage, this.slots[slot]!.offset);
    });
  }

  /** Disposes `flat` and the slots; the buffer lives on while other tensors share it. */
  dispose(): void {
    for (const tensor of [...this.slots, this.flat]) tensor.dispose();
  }
}
