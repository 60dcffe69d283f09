// Subgroups are asked for, also where the adapter does not list them, and enabled in the way that the device's compiler takes.
import { assertEquals } from "@std/assert";
import { requestGpu } from "../../tensor/gpu.ts";
import { enableSubgroups } from "../../tensor/subgroups.ts";
import { testGpu } from "../gpu.ts";

/** A device whose compiler takes some texts; the others are errors. */
function compiler(takes: (code: string) => boolean): GPUDevice {
  let error: object | null = null;
  return {
    features: new Set(["subgroups"]),
    pushErrorScope: () => error = null,
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => error = takes(code) ? null : {},
    popErrorScope: () => Promise.resolve(error),
  } as unknown as GPUDevice;
}

Deno.test("subgroups are enabled by the line of the specification, or without it", async () => {
  const starts = (code: string) => code.startsWith("enable subgroups;");
  assertEquals(await enableSubgroups(compiler(starts)), "enable subgroups; ");
  assertEquals(await enableSubgroups(compiler((code) => !starts(code))), "");
  assertEquals(await enableSubgroups(compiler(() => true)), "enable subgroups; ");
  assertEquals(await enableSubgroups(compiler(() => false)), null);
  assertEquals(await enableSubgroups({ features: new Set() } as unknown as GPUDevice), null);
});

/** WebGPU whose adapter lists some features, and grants those or more. */
function webgpu(listed: readonly string[], granted: readonly string[], info: Partial<GPUAdapterInfo> = {}) {
  const requests: (readonly string[])[] = [];
  const device = (features: readonly string[]) => ({
    ...compiler(() => true),
    features: new Set(features),
    limits: {},
    lost: new Promise(() => {}),
    addEventListener: () => {},
    createBuffer: () => ({}),
    queue: {},
  });
  const adapter = {
    features: new Set(listed),
    limits: {},
    info,
    requestDevice: ({ requiredFeatures }: { requiredFeatures: string[] }) => {
      requests.push(requiredFeatures);
      return requiredFeatures.every((name) => granted.includes(name))
        ? Promise.resolve(device(requiredFeatures))
        : Promise.reject(new TypeError("unknown feature"));
    },
  };
  return { requests, webgpu: { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU };
}

Deno.test("subgroups are asked for where they are listed, or by the option", async () => {
  const request = async (listed: string[], granted: string[], options: { subgroups?: boolean } = {}) => {
    const { requests, webgpu: entry } = webgpu(listed, granted);
    const gpu = await requestGpu({ webgpu: entry, ...options });
    return { requests, used: gpu.subgroups };
  };
  const both = ["subgroups"];
  assertEquals(await request(both, both), { requests: [both], used: true });
  assertEquals(await request(both, both, { subgroups: false }), { requests: [[]], used: false });
  assertEquals(await request([], both), { requests: [[]], used: false });
  assertEquals(await request([], both, { subgroups: true }), { requests: [both], used: true });
  assertEquals(await request([], [], { subgroups: true }), { requests: [both, []], used: false });
});

Deno.test("a software adapter with subgroups of eight shuffles, unless subgroups are turned off", async () => {
  const request = async (description: string, size: number, options: { subgroups?: boolean } = {}) => {
    const info = { description, subgroupMinSize: size, subgroupMaxSize: size };
    const { webgpu: entry } = webgpu([], ["subgroups"], info as Partial<GPUAdapterInfo>);
    const { subgroups, shuffles } = await requestGpu({ webgpu: entry, ...options });
    return { subgroups, shuffles };
  };
  assertEquals(await request("llvmpipe", 8), { subgroups: false, shuffles: true });
  assertEquals(await request("llvmpipe", 8, { subgroups: true }), { subgroups: true, shuffles: true });
  assertEquals(await request("llvmpipe", 8, { subgroups: false }), { subgroups: false, shuffles: false });
  assertEquals(await request("llvmpipe", 16), { subgroups: false, shuffles: false });
  assertEquals(await request("a GPU", 8), { subgroups: false, shuffles: false });
});

Deno.test("the device has subgroups if its adapter gives their sizes, whatever it lists", async () => {
  const [without, using] = [await testGpu({ subgroups: false }), await testGpu({ subgroups: true })];
  const { subgroupMaxSize = 0 } = using.adapter.info as { subgroupMaxSize?: number };
  assertEquals([without.subgroups, using.subgroups], [false, subgroupMaxSize > 0]);
});
