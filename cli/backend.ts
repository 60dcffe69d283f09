/**
 * Which WebGPU backend the command line runs on.
 *
 * @module
 */
import { type Gpu, requestGpu } from "../tensor/gpu.ts";
import type { GpuOptions } from "../tensor/gpu_options.ts";
import { applyTuning } from "./tuning.ts";
import { UserError } from "./user_error.ts";

/** The part of the environment that is read and written here. */
export interface Variables {
  has(name: string): boolean;
  set(name: string, value: string): unknown;
}

/**
 * Makes Deno use Vulkan alone on Linux. Without a Vulkan driver it would fall back to OpenGL without a word,
 * whose adapter is another one than was asked for, with half its features. The variable is read at every
 * request for an adapter, so setting it before the first is early enough. A value of the user's own stays.
 *
 * @param env the process's variables
 * @param os the system's name, as Deno gives it
 */
export function preferVulkan(env: Variables = Deno.env, os: string = Deno.build.os): void {
  if (os !== "linux") return;
  if (!env.has("DENO_WEBGPU_BACKEND")) env.set("DENO_WEBGPU_BACKEND", "vulkan");
  // Mesa complains on standard error where there is none; no such folder needs to exist.
  if (!env.has("XDG_RUNTIME_DIR")) env.set("XDG_RUNTIME_DIR", "/nonexistent");
}

/**
 * The device a command works on, with the kernels that were measured to be the fastest there.
 *
 * @param options what to ask of the adapter
 * @param measure whether to measure them if that was not done yet, as long work is worth it
 * @returns the device, which the caller destroys
 * @throws {UserError} there is no adapter; the message says what to install
 */
export async function openGpu(options: GpuOptions = {}, measure = false): Promise<Gpu> {
  preferVulkan();
  let gpu;
  try {
    gpu = await requestGpu(options);
  } catch (error) {
    if (error instanceof Error) throw new UserError(error.message, { cause: error });
    throw error;
  }
  await applyTuning(gpu, measure);
  return gpu;
}
