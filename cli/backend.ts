/**
 * Which WebGPU backend the command line runs on.
 *
 * @module
 */
import { type Gpu, requestGpu } from "../tensor/gpu.ts";
import type { GpuOptions } from "../tensor/gpu_options.ts";
import { applyTuning } from "./tuning.ts";
import { UserError } from "./user_error.ts";

/** The process's environment variables, as far as they are used here. */
export interface Variables {
  has(name: string): boolean;
  set(name: string, value: string): unknown;
}

/**
 * Makes Deno use only Vulkan on Linux. Without a Vulkan driver it would silently fall back to OpenGL, whose adapter
 * has fewer features. Deno reads the variable at every request for an adapter, so setting it before the first is early
 * enough. A value that the user set is kept.
 *
 * @param env the process's variables
 * @param os the system's name, as Deno gives it
 */
export function preferVulkan(env: Variables = Deno.env, os: string = Deno.build.os): void {
  if (os !== "linux") return;
  if (!env.has("DENO_WEBGPU_BACKEND")) env.set("DENO_WEBGPU_BACKEND", "vulkan");
  // Mesa warns on standard error if the variable is not set; the folder need not exist.
  if (!env.has("XDG_RUNTIME_DIR")) env.set("XDG_RUNTIME_DIR", "/nonexistent");
}

/** Variable that turns subgroups on or off. */
const SUBGROUPS = "ESPALIER_SUBGROUPS";

/**
 * The choice of the variable; none if it is not set.
 *
 * @throws {UserError} it is neither 0 nor 1
 */
export function subgroupChoice(
  env: Pick<Map<string, string>, "get"> = Deno.env,
): { readonly subgroups?: boolean } {
  const value = env.get(SUBGROUPS);
  if (!value) return {};
  if (value !== "0" && value !== "1") {
    throw new UserError(`Cannot compute as ${SUBGROUPS} must be 0 or 1: ${JSON.stringify(value)}`);
  }
  return { subgroups: value === "1" };
}

/**
 * Opens the device of a command, with the GEMM kernels that were measured to be the fastest there.
 *
 * @param options adapter and device options
 * @param measure whether to measure the kernels if that was not done yet, which pays off for long runs
 * @returns the device, which the caller destroys
 * @throws {UserError} there is no adapter; the message states what to install
 */
export async function openGpu(options: GpuOptions = {}, measure = false): Promise<Gpu> {
  preferVulkan();
  const chosen = { ...subgroupChoice(), ...options };
  let gpu;
  try {
    gpu = await requestGpu(chosen);
  } catch (error) {
    if (error instanceof Error) throw new UserError(error.message, { cause: error });
    throw error;
  }
  await applyTuning(gpu, measure);
  return gpu;
}
