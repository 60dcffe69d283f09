// Name, kind and limits of an adapter.

import type { GpuLimits, GpuOptions } from "./gpu_options.ts";

/** Names of drivers that compute on the CPU. */
const SOFTWARE = /llvmpipe|swiftshader|lavapipe|basic render/i;

/** Name of an adapter as its driver gives it, or else its vendor and architecture. */
export function nameOfAdapter({ info }: GPUAdapter): string {
  const { vendor, architecture, description } = info;
  return description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
}

/** Whether an adapter computes on the CPU, by the names that its driver gives. */
export function isSoftware(adapter: GPUAdapter): boolean {
  const { architecture, device } = adapter.info;
  return SOFTWARE.test(`${nameOfAdapter(adapter)} ${architecture} ${device}`);
}

/** Whether reductions are to use subgroups: as asked for, else where the adapter lists them. */
export function wantsSubgroups(adapter: GPUAdapter, { subgroups }: Pick<GpuOptions, "subgroups">): boolean {
  return subgroups ?? adapter.features.has("subgroups");
}

/** Whether every subgroup has eight invocations. */
export function inEights({ info }: GPUAdapter): boolean {
  const { subgroupMinSize, subgroupMaxSize } = info as { subgroupMinSize?: number; subgroupMaxSize?: number };
  return subgroupMinSize === 8 && subgroupMaxSize === 8;
}

/** Limits of a device, lowered to those given. */
export function limitsOf({ limits }: GPUDevice, given: Partial<GpuLimits> = {}): GpuLimits {
  const least = (limit: number, lower = Infinity) => Math.min(limit, lower);
  return {
    bindingBytes: least(limits.maxStorageBufferBindingSize, given.bindingBytes),
    workgroups: least(limits.maxComputeWorkgroupsPerDimension, given.workgroups),
    texture: least(limits.maxTextureDimension2D, given.texture),
  };
}
