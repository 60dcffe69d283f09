// Computes a GEMM: chooses the kernel, and splits a GEMM that exceeds the adapter's limits.
import type { Gpu } from "../../tensor/gpu.ts";
import type { GemmVariant } from "./choice.ts";
import { isBatchInvariant, variantOf } from "./policy.ts";
import { batchOf, extentsOf, type GemmProblem, type Operand, planKey } from "./problem.ts";
import { SequenceMap } from "../../tensor/sequence_map.ts";
import { halves } from "./split.ts";
import { planTexture, runTexture, type TexturePlan } from "./texture.ts";
import { planTile, runTile, type TilePlan } from "./tile.ts";

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
  const plan = planOf(gpu, problem, variant);
  if (plan.excess === 0) return plan.run(problem);
  for (const half of halves(merge(problem, variant), (part) => makePlan(gpu, part, variant).excess)) {
    gemm(gpu, half, variant);
  }
}

/** How a device computes a GEMM. */
interface GemmPlan {
  /** How far the GEMM exceeds the limits of the device; 0 if it fits. */
  readonly excess: number;
  /** Records it; the problem may have other tensors than that of the plan, if {@linkcode planKey} is the same. */
  readonly run: (problem: GemmProblem) => void;
}

/** Plans of each device by key: a step has the GEMMs of the step before, and most batches the sizes of others. */
const plans = new WeakMap<Gpu, Map<string, SequenceMap<GemmPlan>>>();

/** Plans of a kernel at which all are dropped, since the sizes of batches come and go; a plan takes about 4 kB. */
const MOST_PLANS = 2048;

function planOf(gpu: Gpu, problem: GemmProblem, variant: GemmVariant): GemmPlan {
  let ofGpu = plans.get(gpu);
  if (!ofGpu) plans.set(gpu, ofGpu = new Map());
  const policy = isBatchInvariant(gpu) ? `${variant}, batch-invariant` : variant;
  let known = ofGpu.get(policy);
  if (!known) ofGpu.set(policy, known = new SequenceMap());
  let plan = known.get(planKey(problem));
  if (!plan) {
    plan = makePlan(gpu, merge(problem, variant), variant);
    if (known.size >= MOST_PLANS) known.clear();
    known.add(planKey(problem), plan);
  }
  return plan;
}

function makePlan(gpu: Gpu, problem: GemmProblem, variant: GemmVariant): GemmPlan {
  return variant === "texture"
    ? texturePlan(gpu, planTexture(gpu, problem))
    : tilePlan(gpu, planTile(gpu, problem, variant));
}

// The functions that a plan keeps must not keep the tensors of a problem alive.
const texturePlan = (gpu: Gpu, plan: TexturePlan): GemmPlan => ({
  excess: plan.excess,
  run: (problem) => runTexture(gpu, problem, plan),
});
const tilePlan = (gpu: Gpu, plan: TilePlan): GemmPlan => ({
  excess: plan.excess,
  run: (problem) => runTile(gpu, problem, plan),
});

/** A GEMM whose taps are merged, if its kernel is the faster for it. */
const merge = (problem: GemmProblem, variant: GemmVariant) =>
  mergeTaps(problem, variant === "texture" ? 16 : Infinity);

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
