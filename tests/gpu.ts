import { type Gpu, type GpuOptions, requestGpu } from "../tensor/gpu.ts";
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
