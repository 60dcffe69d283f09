// Which kernel a device uses for its GEMMs, and whether results may depend on the batch.
import type { Gpu } from "../../tensor/gpu.ts";
import {
  gemmClass,
  type GemmExtents,
  gemmInOrder,
  type GemmTuning,
  type GemmVariant,
  usualGemm,
} from "./choice.ts";

/** The kernel of each adapter, or its tuning. By adapter, so that a fake device plans with the kernels of the real one. */
const chosen = new WeakMap<GPUAdapter, GemmVariant | GemmTuning>();

/** Devices that are inside {@linkcode batchInvariant}. */
const invariant = new WeakSet<Gpu>();

/**
 * Sets the kernel of all GEMMs on a device and its fakes, or that of each class of GEMMs. Classes that the tuning lacks keep
 * the default, which depends on the kind of adapter and the sizes.
 *
 * @param gpu Device.
 * @param choice A kernel, or the tuning that {@linkcode tuningOf} returns.
 * @example
 * ```ts
 * import { matmul, requestGpu, setGemm } from "../../mod.ts";
 *
 * const gpu = await requestGpu();
 * setGemm(gpu, "tile-32");
 * const y = matmul(gpu.tensor([1, 2], [1, 2]), gpu.tensor([3, 4], [2, 1]));
 * console.log(await y.read()); // [11]
 * gpu.destroy();
 * ```
 */
export function setGemm(gpu: Gpu, choice: GemmVariant | GemmTuning): void {
  chosen.set(gpu.adapter, choice);
}

/**
 * Runs `fn` so that the result of one item of a batch does not depend on the other items, bit for bit. Split-K depends on K
 * alone, and only kernels that add the terms of a sum in the same order are used, which is slower for small outputs. This
 * holds for GEMMs with K ≤ 4096 whose operands fit the adapter's limits.
 */
export function batchInvariant<T>(gpu: Gpu, fn: () => T): T {
  if (invariant.has(gpu)) return fn();
  invariant.add(gpu);
  try {
    return fn();
  } finally {
    invariant.delete(gpu);
  }
}

/** Whether {@linkcode batchInvariant} is running for the device. */
export function isBatchInvariant(gpu: Gpu): boolean {
  return invariant.has(gpu);
}

/** The kernel for a GEMM of these extents. */
export function variantOf(gpu: Gpu, extents: GemmExtents): GemmVariant {
  const choice = chosen.get(gpu.adapter);
  if (typeof choice === "string") return choice;
  const variant = choice?.[gemmClass(extents)] ?? usualGemm(gpu.software, extents);
  return isBatchInvariant(gpu) ? gemmInOrder(gpu.software, variant) : variant;
}
