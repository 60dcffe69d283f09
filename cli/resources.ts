/**
 * What a run needs of the machine, and whether the machine has it.
 *
 * @module
 */
import { freeSpace } from "../files/free_space.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { hasMemory } from "../tensor/reserve.ts";
import type { MemoryNeed } from "../train/memory.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Estimated memory and disk of a run, as `--dry-run --json` prints them. */
export interface MemoryReport {
  /** Name of the device. */
  readonly device: string;
  /** Whether the device shares the host's memory. */
  readonly software: boolean;
  readonly device_bytes: number;
  readonly host_bytes: number;
  /** States, and copies of the model. */
  readonly disk_bytes: number;
}

/** Estimated memory and disk of a run as data. */
export function memoryReport(
  { name, software }: Gpu,
  { deviceBytes, hostBytes, diskBytes }: MemoryNeed,
): MemoryReport {
  return {
    device: name,
    software,
    device_bytes: Math.round(deviceBytes),
    host_bytes: Math.round(hostBytes),
    disk_bytes: Math.round(diskBytes),
  };
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

/** Estimated memory of a run as a line of text. */
export function memoryText({ device, software, device_bytes, host_bytes }: MemoryReport): string {
  const all = software
    ? `, ${gigabytes(device_bytes + host_bytes)} in total (a software device uses the host's memory)`
    : "";
  return `estimated memory: ${gigabytes(device_bytes)} on ${device}, ${
    gigabytes(host_bytes)
  } on the host${all}`;
}

/** Prints the estimated memory and disk, the result of `--dry-run`. */
export function printMemory(memory: MemoryReport, json: boolean): void {
  const disk = `estimated disk: ${gigabytes(memory.disk_bytes)} for states and models`;
  print(json ? JSON.stringify(memory, null, 2) : `${memoryText(memory)}\n${disk}`);
}

/** What a machine has; null where that is unknown. */
export interface Machine {
  /** Memory of the host in bytes, swap included, and how much of it is available. */
  readonly memory: { readonly total: number; readonly available: number } | null;
  /** Whether the device has the memory. */
  readonly hasDeviceMemory: boolean | null;
  /** Bytes free on the disk of the run's folder. */
  readonly disk: number | null;
}

/** What speaks against a run: the first that makes it impossible, and what makes it unlikely to succeed. */
export interface Doubts {
  readonly refusal: string | null;
  readonly warnings: readonly string[];
}

/**
 * Compares what a run needs with what a machine has.
 *
 * @param run the command, the folder of the run, and bytes of memory that the process has already
 * @param need estimated memory and disk
 * @param machine memory and disk of the machine
 */
export function doubtsOn(
  { command, out, held }: { command: string; out: string; held: number },
  { device, software, device_bytes, host_bytes, disk_bytes }: MemoryReport,
  { memory, hasDeviceMemory, disk }: Machine,
): Doubts {
  const less = "fewer --batch-seconds or --grad-checkpoint need less";
  const all = host_bytes + (software ? device_bytes : 0);
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (hasDeviceMemory === false) {
    const found = `${device} has less free`;
    refusals.push(
      `Cannot ${command} as it takes ${gigabytes(device_bytes)} of device memory: ${found} (${less})`,
    );
  }
  if (memory && all > memory.total) {
    const found = `this machine has ${gigabytes(memory.total)}`;
    refusals.push(`Cannot ${command} as it takes ${gigabytes(all)} of memory: ${found} (${less})`);
  } else if (memory && all - held > memory.available) {
    const found = `${gigabytes(memory.available)} are available`;
    warnings.push(`the run takes ${gigabytes(all - held)} more memory, and ${found} (${less})`);
  }
  if (disk !== null && disk_bytes > disk) {
    refusals.push(
      `Cannot ${command} as states and models take ${gigabytes(disk_bytes)} of disk: ${out} has ${
        gigabytes(disk)
      } left`,
    );
  }
  return { refusal: refusals[0] ?? null, warnings };
}

/**
 * Checks that the machine has what a run needs; notes say where it may not.
 *
 * @param run the command, its folder, its device, and whether it runs now; `--dry-run` only prints
 * @param need estimated memory and disk; the disk is not checked for a run that is resumed, which has used some
 * @throws {UserError} it does not; one line
 */
export async function checkResources(
  { command, out, gpu, dry = false, resumed = false }: {
    command: string;
    out: string;
    gpu: Gpu;
    dry?: boolean;
    resumed?: boolean;
  },
  need: MemoryReport,
): Promise<void> {
  const machine = {
    memory: hostMemory(),
    hasDeviceMemory: gpu.software ? null : await hasMemory(gpu, need.device_bytes),
    disk: resumed ? null : await freeSpace(out),
  };
  const { refusal, warnings } = doubtsOn({ command, out, held: Deno.memoryUsage().rss }, need, machine);
  if (refusal && !dry) throw new UserError(refusal);
  for (const text of [...refusal ? [refusal] : [], ...warnings]) note(text);
}

/** Memory of the host; null where the process may not know it. */
function hostMemory(): Machine["memory"] {
  try {
    const { total, available, swapTotal, swapFree } = Deno.systemMemoryInfo();
    return { total: total + swapTotal, available: available + swapFree };
  } catch {
    return null;
  }
}
