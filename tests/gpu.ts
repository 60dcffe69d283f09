import { assertThrows } from "@std/assert";
import type { GemmTuning, GemmVariant } from "../kernels/gemm/choice.ts";
import { setGemm } from "../kernels/gemm/policy.ts";
import { type Gpu, requestGpu } from "../tensor/gpu.ts";
import type { GpuOptions } from "../tensor/gpu_options.ts";
import { preferVulkan, subgroupChoice } from "../cli/backend.ts";

/** Options of a device, and the kernel of its GEMMs. */
export interface TestGpuOptions extends GpuOptions {
  /** As for `setGemm`; the default unless given. */
  readonly gemm?: GemmVariant | GemmTuning;
}

const devices = new Map<string, Promise<Gpu>>();

/**
 * The device of a test file, made once per set of options. With a tile kernel, which is for GPUs, all other kernels are chosen
 * as on a GPU, too.
 */
export function testGpu(given: TestGpuOptions = {}): Promise<Gpu> {
  preferVulkan();
  const tiles = typeof given.gemm === "string" && given.gemm !== "texture";
  const options = { ...subgroupChoice(), ...tiles && { software: false }, ...given };
  const key = JSON.stringify(options);
  let device = devices.get(key);
  if (!device) devices.set(key, device = requestWith(options));
  return device;
}

async function requestWith({ gemm, ...options }: TestGpuOptions): Promise<Gpu> {
  const gpu = await requestGpu(options);
  if (gemm) setGemm(gpu, gemm);
  return gpu;
}

/**
 * The usual device; on a software adapter also one that takes the kernels of GPUs, except for GEMM; not in a
 * browser, whose software adapter would take minutes more to compile them.
 */
export async function testGpus(): Promise<Gpu[]> {
  const usual = await testGpu();
  return usual.software && "Deno" in globalThis
    ? [usual, await testGpu({ gemm: "texture", software: false })]
    : [usual];
}

/** The error of a device whose adapter has no f16. */
export function assertNoHalf(gpu: Gpu): void {
  const why = "Cannot make a tensor of f16 as the adapter has no shader-f16";
  assertThrows(() => gpu.empty([1], "f16"), TypeError, why);
  assertThrows(() => gpu.tensor(Float16Array.of(1)), TypeError, why);
}
