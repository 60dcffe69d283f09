import { assertThrows } from "@std/assert";
import { type Gpu, requestGpu } from "../tensor/gpu.ts";
import type { GpuOptions } from "../tensor/gpu_options.ts";
import { preferVulkan } from "../cli/backend.ts";

const devices = new Map<string, Promise<Gpu>>();

/** The device of a test file, made once per set of options. */
export function testGpu(options: GpuOptions = {}): Promise<Gpu> {
  preferVulkan();
  const key = JSON.stringify(options);
  let device = devices.get(key);
  if (!device) devices.set(key, device = requestGpu(options));
  return device;
}

/** What a device says whose adapter has no f16. */
export function assertNoHalf(gpu: Gpu): void {
  const why = "Cannot make a tensor of f16 as the adapter has no shader-f16";
  assertThrows(() => gpu.empty([1], "f16"), TypeError, why);
  assertThrows(() => gpu.tensor(Float16Array.of(1)), TypeError, why);
}
