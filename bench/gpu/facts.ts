/**
 * Part `facts`: what the adapter is and has, and the machine around it.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";

/** Facts of the adapter. */
export interface Facts {
  readonly adapter: string;
  readonly info: Readonly<Record<string, string | number>>;
  /** Features that the adapter lists, and those that it does not list but grants at the request for a device. */
  readonly features: readonly string[];
  readonly hiddenFeatures: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Which WGSL compiles. */
  readonly compiles: Readonly<Record<string, boolean>>;
  /** Output of programs that know the driver, by name. */
  readonly driver: Readonly<Record<string, string>>;
  readonly machine: {
    readonly os: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memory: number;
  };
}

/** Features that runtimes may grant without listing them. */
const SOUGHT = [
  "subgroups",
  "subgroups-f16",
  "shader-f16",
  "timestamp-query",
  "chromium-experimental-subgroup-matrix",
];

const BODY =
  "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n@compute @workgroup_size(64) fn main";
const SUM = `${BODY}(@builtin(local_invocation_index) i: u32) { y[i] = subgroupAdd(i); }`;

/** WGSL to try, by what it needs. */
const SOURCES: Readonly<Record<string, string>> = {
  "subgroupAdd with `enable subgroups;`": `enable subgroups;\n${SUM}`,
  "subgroupAdd without it": SUM,
  "f16 with `enable f16;`": `enable f16;\n${BODY}() { y[0] = u32(f16(2.0)); }`,
  "dot4I8Packed": `${BODY}() { y[0] = u32(dot4I8Packed(y[1], y[2])); }`,
};

/** Programs that describe the driver. */
const PROGRAMS = [
  [
    "nvidia-smi",
    "--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit",
    "--format=csv",
  ],
  ["vulkaninfo", "--summary"],
] as const;

/** Names of the attributes of a WebGPU object. */
function attributes<T extends object>(object: T): (keyof T & string)[] {
  return Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)))
    .filter((name) => ["number", "string"].includes(typeof object[name as keyof T])) as (keyof T & string)[];
}

async function grants(adapterOf: () => Promise<GPUAdapter | null>, feature: string): Promise<boolean> {
  try {
    // Each adapter gives one device.
    const device = await (await adapterOf())!.requestDevice({
      requiredFeatures: [feature as GPUFeatureName],
    });
    device.destroy();
    return true;
  } catch {
    return false;
  }
}

async function compiles(device: GPUDevice, code: string): Promise<boolean> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const error = await device.popErrorScope();
  return error === null && !messages.some(({ type }) => type === "error");
}

async function outputOf([program, ...args]: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(program!, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim().slice(0, 4000) : null;
  } catch { // not installed
    return null;
  }
}

async function cpuName(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? "unknown";
}

/** Collects the facts. */
export async function measure(_request: PartRequest): Promise<Facts> {
  const gpu = await openGpu();
  const { adapter } = gpu;
  const record = <T extends object>(object: T) =>
    Object.fromEntries(attributes(object).map((name) => [name, object[name]])) as Record<string, never>;
  const features: string[] = [...adapter.features].sort();
  const adapterOf = () => navigator.gpu.requestAdapter();
  const hiddenFeatures: string[] = [];
  for (const feature of SOUGHT.filter((name) => !features.includes(name))) {
    if (await grants(adapterOf, feature)) hiddenFeatures.push(feature);
  }
  const requiredFeatures = [...features, ...hiddenFeatures].filter((name) => SOUGHT.includes(name));
  const device = await (await adapterOf())!.requestDevice({
    requiredFeatures: requiredFeatures as GPUFeatureName[],
  });
  const compiled: Record<string, boolean> = {};
  for (const [name, code] of Object.entries(SOURCES)) compiled[name] = await compiles(device, code);
  const driver: Record<string, string> = {};
  for (const program of PROGRAMS) {
    const output = await outputOf(program);
    if (output !== null) driver[program[0]] = output;
  }
  return {
    adapter: gpu.name,
    info: record(adapter.info),
    features,
    hiddenFeatures,
    limits: record(adapter.limits),
    compiles: compiled,
    driver,
    machine: {
      os: `${Deno.build.os} ${Deno.osRelease()}`,
      cpu: await cpuName(),
      cores: navigator.hardwareConcurrency,
      memory: Deno.systemMemoryInfo().total,
    },
  };
}

/** Name of the adapter. */
export const adapter = (facts: Facts): string => facts.adapter;

/** The facts in one line. */
export function summary({ adapter, features, hiddenFeatures, info }: Facts): string {
  const subgroups = info.subgroupMinSize === undefined
    ? "subgroups unknown"
    : `subgroups of ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  return `${adapter}: ${features.length} features, ${hiddenFeatures.length} more granted, ${subgroups}`;
}

/** Name and version of the driver; null if no program knows them. */
function driverOf(driver: Facts["driver"]): string | null {
  return driver["nvidia-smi"]?.split("\n")[1] ??
    /driverInfo\s*=\s*(.*)/.exec(driver["vulkaninfo"] ?? "")?.[1] ?? null;
}

/** The facts as a table. */
export function tables(facts: Facts): TitledTable[] {
  const { adapter, info, features, hiddenFeatures, limits, compiles, machine, driver } = facts;
  const limit = (name: string) => [name, (limits[name] ?? NaN).toLocaleString("en")];
  const yes = (value: boolean) => value ? "yes" : "no";
  return [{
    title: "The adapter",
    left: [0, 1],
    head: ["fact", "value"],
    rows: [
      ["adapter", adapter],
      ["driver", driverOf(driver) ?? String(info.vendor)],
      ["subgroup sizes", `${info.subgroupMinSize ?? "?"} to ${info.subgroupMaxSize ?? "?"}`],
      ["features", features.join(" ")],
      ["granted, not listed", hiddenFeatures.join(" ") || "none"],
      ...Object.entries(compiles).map(([name, value]) => [`compiles ${name}`, yes(value)]),
      ...[
        "maxStorageBufferBindingSize",
        "maxBufferSize",
        "maxComputeWorkgroupStorageSize",
        "maxComputeInvocationsPerWorkgroup",
        "maxTextureDimension2D",
      ].map(limit),
      ["CPU", `${machine.cores} cores, ${machine.cpu}`],
    ],
  }];
}
