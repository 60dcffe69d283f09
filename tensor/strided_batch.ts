import { alignOf, roundUp } from "./align.ts";
import type { Gpu } from "./gpu.ts";
import { gradientSlot } from "./gradient_sink.ts";
import type { DType } from "./dtype.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Tensors of one shape at equal distances in one buffer, so that one dispatch works on all of them. */
export interface StridedBatch {
  /** From the first number of the first tensor to the last of the last one; the caller disposes it. */
  readonly span: Tensor;
  /** Numbers between the starts of two. */
  readonly step: number;
}

/** The row that tensors make in their order, or null if they make none. */
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
 * Tensors without defined content that make a row, each of which starts where a binding may.
 *
 * @param gpu Device.
 * @param count Their number.
 * @param shape Shape of each, with numbers.
 * @param dtype Their type.
 */
export function emptyBatch(
  gpu: Gpu,
  count: number,
  shape: readonly number[],
  dtype: DType = "f32",
): Tensor[] {
  const step = roundUp(sizeOf(shape), alignOf(dtype));
  const all = gpu.empty([count * step], dtype);
  const row = Array.from({ length: count }, (_, i) => new Tensor(gpu, all.storage, shape, dtype, i * step));
  all.dispose();
  return row;
}

/** Where a pullback is to write gradients of tensors that make a row: a row, too. */
export function gradientBatch(tensors: readonly Tensor[]): Tensor[] {
  const slots = tensors.map(gradientSlot);
  const row = stridedBatchOf(slots);
  row?.span.dispose();
  if (row) return slots;
  for (const slot of slots) slot.dispose();
  const [first] = tensors as [Tensor, ...Tensor[]];
  return emptyBatch(first.gpu, tensors.length, first.shape);
}
