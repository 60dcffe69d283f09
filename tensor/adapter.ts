import type { GpuOptions } from "./gpu_options.ts";
import { inEights, isSoftware, wantsSubgroups } from "./adapter_info.ts";
import { enableSubgroups } from "./subgroups.ts";

/** What to do where there is no adapter. */
const ADVICE = "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers) " +
  "or use a browser with WebGPU";

/** What to do where there is no WebGPU at all. */
const IN_NODE = "pass a GPU object, such as requestGpu({ webgpu: create([]) }) with the npm package webgpu";
const IN_BROWSER = "use a browser with WebGPU, and a page from https: or localhost";

// A device of Dawn crashes once its GPU object is collected.
const entries = new WeakMap<GPUDevice, GPU>();

/** Features that are used if the adapter has them. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16"];

/**
 * Requests an adapter, and a device with the adapter's own limits.
 *
 * @returns Both, and the line that enables subgroups in shaders, which may be empty; null if the device has none.
 * @throws {Error} If there is no WebGPU or no adapter; the message names what to pass or to install.
 */
export async function requestDevice(
  options: Pick<GpuOptions, "webgpu" | "powerPreference" | "profile" | "subgroups">,
): Promise<{ adapter: GPUAdapter; device: GPUDevice; subgroups: string | null }> {
  const webgpu = options.webgpu ?? globalThis.navigator?.gpu;
  if (!webgpu) throw new Error(`No WebGPU here: ${"process" in globalThis ? IN_NODE : IN_BROWSER}`);
  const adapter = await webgpu.requestAdapter(
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
  const request = (more: readonly GPUFeatureName[]) =>
    adapter.requestDevice({
      label: "espalier",
      requiredLimits: Object.fromEntries(raised.map((name) => [name, adapter.limits[name]])),
      requiredFeatures: [...features.filter((feature) => adapter.features.has(feature)), ...more],
    });
  // Deno 2.9 does not list subgroups, but grants them. An adapter without them refuses the request.
  const shuffles = options.subgroups !== false && isSoftware(adapter) && inEights(adapter);
  const asked = shuffles || wantsSubgroups(adapter, options);
  const device = asked ? await request(["subgroups"]).catch(() => request([])) : await request([]);
  entries.set(device, webgpu);
  return { adapter, device, subgroups: await enableSubgroups(device) };
}
