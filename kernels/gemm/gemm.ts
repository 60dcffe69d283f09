// Computes a GEMM: chooses the kernel, and splits a GEMM that exceeds the adapter's limits.
import type { Gpu } from "../../tensor/gpu.ts";
import type { GemmVariant } from "./choice.ts";
import { variantOf } from "./policy.ts";
import { batchOf, extentsOf, type GemmProblem, type Operand } from "./problem.ts";
import { halves } from "./split.ts";
import { planTexture, runTexture } from "./texture.ts";
import { runTile, tileExcess } from "./tile.ts";

/**
 * Computes a batched GEMM. One that exceeds a binding, a texture or the length of a sum is split.
 *
 * @param gpu Device.
 * @param problem What to compute.
 * @param variant Kernel; the choice of {@linkcode setGemm} or the default for the extents unless given.
 * @throws {RangeError} If K is 0, or if a single term exceeds the limits of the adapter.
 *
 * @example
 * ```ts
 * import { requestGpu } from "../../mod.ts";
 * import { gemm } from "./gemm.ts";
 *
 * const gpu = await requestGpu();
 * // c = a·bᵀ, a [m, k], b [n, k]
 * const [a, b, c] = [gpu.tensor([1, 2], [1, 2]), gpu.tensor([3, 4, 5, 6], [2, 2]), gpu.empty([1, 2])];
 * const [m, n, k] = [1, 2, 2];
 * gemm(gpu, {
 *   m,
 *   n,
 *   k: [1, k],
 *   a: { tensor: a, height: m, row: k, alongK: true },
 *   b: { tensor: b, height: n, row: k, alongK: true },
 *   c: { tensor: c, row: n },
 * });
 * console.log(await c.read()); // [[11, 17]]
 * gpu.destroy();
 * ```
 */
export function gemm(
  gpu: Gpu,
  problem: GemmProblem,
  variant: GemmVariant = variantOf(gpu, extentsOf(problem)),
): void {
  const [z1, z2] = batchOf(problem);
  const { m, n, k } = problem;
  if (m * n * z1 * z2 === 0) return;
  if (k[0] * k[1] === 0) throw new RangeError("Cannot multiply as the inner size must not be 0");
  const merged = mergeTaps(problem, variant === "texture" ? 16 : Infinity);
  const split = (excess: (problem: GemmProblem) => number) => {
    for (const half of halves(merged, excess)) gemm(gpu, half, variant);
  };
  if (variant === "texture") {
    const plan = planTexture(gpu, merged);
    if (plan.excess === 0) runTexture(gpu, merged, plan);
    else split((problem) => planTexture(gpu, problem).excess);
  } else if (tileExcess(gpu, merged, variant) === 0) runTile(gpu, merged, variant);
  else split((problem) => tileExcess(gpu, problem, variant));
}

/** Makes one index of (k1, k2) where both operands are contiguous along it, if k2 is below `limit`. */
function mergeTaps(problem: GemmProblem, limit: number): GemmProblem {
  const { a, b, k: [k1, k2], m, n } = problem;
  if (k1 === 1 || k2 >= limit) return problem;
  const isContiguous = (operand: Operand, extent: number) =>
    operand.alongK && (operand.k1Stride ?? 0) === 0 && !operand.z2Step &&
    (operand.tap ?? 0) * operand.row === k2 && (operand.y0 ?? 0) === 0 &&
    (extent - 1) * (operand.step ?? 1) + (k1 - 1) * operand.tap! < operand.height;
  if (!isContiguous(a, m) || !isContiguous(b, n)) return problem;
  const flat = (operand: Operand, height: number): Operand => ({
    ...operand,
    height,
    row: operand.row * (operand.step ?? 1),
    step: 1,
    tap: 0,
  });
  return { ...problem, k: [1, k1 * k2], a: flat(a, m), b: flat(b, n) };
}
