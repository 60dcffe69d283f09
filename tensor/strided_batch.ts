import { alignOf, roundUp } from "./align.ts";
import type { Gpu } from "./gpu.ts";
import { gradientSlot } from "./gradient_sink.ts";
import type { DType } from "./dtype.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Tensors of one shape at equal distances in one buffer, so that one dispatch computes on all of them. */
export interface StridedBatch {
  /** All elements from the first tensor to the last, with those between; the caller disposes it. */
  readonly span: Tensor;
  /** Elements between the starts of two tensors. */
  readonly step: number;
}

/** Tensors as a strided batch in their order, or null if they do not lie at equal distances in one buffer. */
export function stridedBatchOf(tensors: readonly Tensor[]): StridedBatch | null {
  const [first, second] = tensors;
  if (!first || !second) return null;
  const step = second.offset - first.offset;
  const fits = tensors.every((tensor, i) => {
    return tensor.storage === first.storage && tensor.offset === first.offset + i * step &&
      tensor.shape.join() === first.shape.join();
  });
  if (!fits || step < first.size) return null;
  const size = (tensors.length - 1) * step + first.size;
  return { span: new Tensor(first.gpu, first.storage, [size], first.dtype, first.offset), step };
}

/**
 * Tensors without defined content that form a strided batch. Each starts at a multiple of 256 bytes, where a binding may.
 *
 * @param gpu Device.
 * @param count Number of tensors.
 * @param shape Shape of each.
 * @param dtype Element type; f32 unless given.
 */
export function emptyBatch(
  gpu: Gpu,
  count: number,
  shape: readonly number[],
  dtype: DType = "f32",
): Tensor[] {
  const step = roundUp(sizeOf(shape), alignOf(dtype));
  const all = gpu.empty([count * step], dtype);
  const tensors = Array.from(
    { length: count },
    (_, i) => new Tensor(gpu, all.storage, shape, dtype, i * step),
  );
  all.dispose();
  return tensors;
}

/** Tensors that a pullback writes the gradients of a strided batch to: the slots of a sink if they form a batch, or new ones. */
export function gradientBatch(tensors: readonly Tensor[]): Tensor[] {
  const slots = tensors.map(gradientSlot);
  const batch = stridedBatchOf(slots);
  batch?.span.dispose();
  if (batch) return slots;
  for (const slot of slots) slot.dispose();
  const [first] = tensors as [Tensor, ...Tensor[]];
  return emptyBatch(first.gpu, tensors.length, first.shape);
}
