import type { Gpu } from "../tensor/gpu.ts";
import { openGpu } from "./backend.ts";
import { defineCommand } from "./command.ts";
import { measureTuning, readTuning, tuningText } from "./tuning.ts";
import { wrap } from "./wrap.ts";

/** What `gpu --json` prints. */
export interface GpuReport {
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    /** Whether it is the processor that computes. */
    readonly software: boolean;
  };
  readonly features: readonly string[];
  /** The device's limits, in bytes where the name says size. */
  readonly limits: Readonly<Record<string, number>>;
  /** What the adapter lacks, with what that means here. */
  readonly missing: Readonly<Record<string, string>>;
}

/** The limits that decide what runs in one piece, and how they are called in the text. */
const limitNames = {
  maxBufferSize: "bytes in a buffer",
  maxStorageBufferBindingSize: "bytes in a storage binding",
  maxUniformBufferBindingSize: "bytes in a uniform binding",
  maxStorageBuffersPerShaderStage: "storage bindings in a shader",
  minStorageBufferOffsetAlignment: "bytes storage bindings align to",
  maxComputeWorkgroupStorageSize: "bytes of workgroup memory",
  maxComputeInvocationsPerWorkgroup: "invocations in a workgroup",
  maxComputeWorkgroupsPerDimension: "workgroups in a dimension",
  maxTextureDimension2D: "texels in a texture's side",
} as const satisfies Partial<Record<keyof GPUSupportedLimits, string>>;

/** Features that help where they are, and what their absence means. */
const wantedFeatures: Readonly<Record<string, string>> = {
  "timestamp-query": "no time per kernel in a profile",
  "shader-f16": "no products of f16, as --half asks for",
  "subgroups": "reductions go through workgroup memory",
};

/** `gpu`: the adapter, its limits, and what is missing. */
export const gpuCommand = defineCommand({
  name: "gpu",
  summary: "Show the adapter that computes, its limits, and what is missing",
  options: {
    tuning: {
      type: "flag",
      description: "show which kernel computes products of each size, measured the first time",
    },
    tune: { type: "flag", description: "measure that anew" },
    json: { type: "flag", description: "print JSON" },
  },
  async run({ json, tuning: show, tune }) {
    const gpu = await openGpu();
    try {
      if (show || tune) {
        const tuning = (tune ? null : await readTuning(gpu)) ?? await measureTuning(gpu);
        console.log(json ? JSON.stringify(tuning, null, 2) : tuningText(tuning));
        return 0;
      }
      const report = inspect(gpu);
      console.log(json ? JSON.stringify(report, null, 2) : render(report));
      return 0;
    } finally {
      gpu.destroy();
    }
  },
});

function inspect(gpu: Gpu): GpuReport {
  const { vendor, architecture, device } = gpu.adapter.info;
  const features: string[] = [...gpu.adapter.features].sort();
  const limits = Object.keys(limitNames) as (keyof typeof limitNames)[];
  const missing = Object.entries(wantedFeatures).filter(([feature]) => !features.includes(feature));
  if (gpu.software) {
    missing.push(["a graphics processor", "the adapter computes on the processor, far slower"]);
  }
  return {
    adapter: { name: gpu.name, vendor, architecture, device, software: gpu.software },
    features,
    limits: Object.fromEntries(limits.map((limit) => [limit, gpu.device.limits[limit]])),
    missing: Object.fromEntries(missing),
  };
}

function render({ adapter, features, limits, missing }: GpuReport): string {
  const limitLines = Object.entries(limitNames).map(([limit, meaning]) =>
    `  ${(limits[limit] ?? 0).toLocaleString("en").padStart(13)}  ${meaning}`
  );
  const missingLines = Object.entries(missing).map(([what, consequence]) => `  ${what}: ${consequence}`);
  return [
    `adapter   ${adapter.name}${adapter.software ? " (software)" : ""}`,
    `vendor    ${[vendorName(adapter.vendor), adapter.architecture].filter(Boolean).join(" ") || "not told"}`,
    `features  ${wrap(features.join(" "), 90).join("\n          ")}`,
    "limits",
    ...limitLines,
    missingLines.length === 0 ? "missing   nothing" : "missing",
    ...missingLines,
  ].join("\n");
}

/** A vendor's number as the registries write it. */
function vendorName(vendor: string): string {
  return /^\d+$/.test(vendor) ? `0x${Number(vendor).toString(16)}` : vendor;
}
