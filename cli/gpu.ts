import type { Gpu } from "../tensor/gpu.ts";
import { openGpu } from "./backend.ts";
import { defineCommand } from "./command.ts";
import { group } from "./options.ts";
import { print } from "./print.ts";
import { measureTuning, readTuning, tuningText } from "./tuning.ts";
import { wrap } from "./wrap.ts";

/** What `gpu --json` prints. */
export interface GpuReport {
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    /** Whether the adapter runs on the CPU. */
    readonly software: boolean;
  };
  readonly features: readonly string[];
  /** The device's limits, in bytes where the name contains size. */
  readonly limits: Readonly<Record<string, number>>;
  /** Features that the adapter lacks, with the consequence of each. */
  readonly missing: Readonly<Record<string, string>>;
}

/** The limits that matter for model sizes, with their names in the text. */
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

/** Features that are used where available, and the consequence of their absence. */
const usedFeatures: Readonly<Record<string, string>> = {
  "timestamp-query": "no profile of single kernels",
  "shader-f16": "--half is not available",
  "subgroups":
    "reductions in workgroup memory (unless ESPALIER_SUBGROUPS=1 finds them: Deno does not list them)",
};

/** `gpu`: the adapter, its limits and missing features. */
export const gpuCommand = defineCommand({
  name: "gpu",
  summary: "Show the WebGPU adapter, its limits and missing features",
  access: ["files", "device"],
  options: {
    ...group("Options", {
      tuning: {
        type: "flag",
        description: "show the fastest GEMM kernel for each size; measured the first time",
      },
      tune: { type: "flag", description: "measure the GEMM kernels again" },
      json: { type: "flag", description: "print JSON" },
    }),
  },
  examples: [["measure which GEMM kernels are fastest here", "gpu --tune"]],
  async run({ json, tuning: show, tune }) {
    const gpu = await openGpu();
    try {
      if (show || tune) {
        const tuning = (tune ? null : await readTuning(gpu)) ?? await measureTuning(gpu);
        print(json ? JSON.stringify(tuning, null, 2) : tuningText(tuning));
        return 0;
      }
      const report = inspect(gpu);
      print(json ? JSON.stringify(report, null, 2) : render(report));
      return 0;
    } finally {
      gpu.destroy();
    }
  },
});

function inspect(gpu: Gpu): GpuReport {
  const { vendor, architecture, device } = gpu.adapter.info;
  const features: string[] = [...new Set<string>([...gpu.adapter.features, ...gpu.device.features])].sort();
  const limits = Object.keys(limitNames) as (keyof typeof limitNames)[];
  const missing = Object.entries(usedFeatures).filter(([feature]) => !features.includes(feature));
  if (gpu.software) {
    missing.push(["GPU", "the adapter runs on the CPU, far slower"]);
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
    `vendor    ${[vendorName(adapter.vendor), adapter.architecture].filter(Boolean).join(" ") || "unknown"}`,
    `features  ${wrap(features.join(" "), 90).join("\n          ")}`,
    "limits",
    ...limitLines,
    missingLines.length === 0 ? "missing   nothing" : "missing",
    ...missingLines,
  ].join("\n");
}

/** A PCI vendor ID in hexadecimal. */
function vendorName(vendor: string): string {
  return /^\d+$/.test(vendor) ? `0x${Number(vendor).toString(16)}` : vendor;
}
