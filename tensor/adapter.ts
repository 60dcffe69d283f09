import type { GpuOptions } from "./gpu_options.ts";

/** What to do where there is no adapter. */
const ADVICE = "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers) " +
  "or use a browser with WebGPU";

/** Features that are used if the adapter has them. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups"];

/**
 * Requests an adapter, and a device with the adapter's own limits.
 *
 * @throws {Error} If there is no adapter; the message names what to install.
 */
export async function requestDevice(
  options: Pick<GpuOptions, "powerPreference" | "profile">,
): Promise<{ adapter: GPUAdapter; device: GPUDevice }> {
  const { gpu } = globalThis.navigator ?? {};
  const adapter = await gpu?.requestAdapter(
    options.powerPreference ? { powerPreference: options.powerPreference } : {},
  );
  if (!adapter) {
    throw new Error(`No WebGPU adapter found: ${ADVICE}`);
  }
  const raised = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxTextureDimension2D",
    "minUniformBufferOffsetAlignment",
    "minStorageBufferOffsetAlignment",
  ] as const;
  const features: GPUFeatureName[] = options.profile ? [...FEATURES, "timestamp-query"] : [...FEATURES];
  const device = await adapter.requestDevice({
    label: "espalier",
    requiredLimits: Object.fromEntries(raised.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
  });
  return { adapter, device };
}
