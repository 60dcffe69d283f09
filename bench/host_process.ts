/**
 * Counts and times what the host does in a step: one process of `bench --host`. Its argument is a {@linkcode HostRequest}.
 *
 * @module
 */

import type { Gpu } from "../tensor/gpu.ts";
import type { Trainer } from "../train/trainer.ts";
import { type StepModules, stepModules } from "./step_modules.ts";
import { checkpointOf, makeTrainer, noiseBatch, type StepKind, type StepModel, takeStep } from "./steps.ts";

/** What to measure. */
export interface HostRequest {
  /** Folder of the checkout whose modules run. */
  readonly root: string;
  readonly model: StepModel;
  readonly kind: StepKind;
  /** Steps to time, after the warm-up. */
  readonly steps: number;
  /** Utterances of a step, and samples of each. */
  readonly batch: readonly [utterances: number, samples: number];
  /** Whether to measure the time of each kernel instead, by timestamp queries. */
  readonly profile?: boolean;
}

/** Calls that are counted, by what they make, record or submit. */
const CALLS = {
  dispatches: ["GPUComputePassEncoder", "dispatchWorkgroups"],
  passes: ["GPUCommandEncoder", "beginComputePass"],
  "buffer copies": ["GPUCommandEncoder", "copyBufferToBuffer"],
  "texture copies": ["GPUCommandEncoder", "copyBufferToTexture"],
  clears: ["GPUCommandEncoder", "clearBuffer"],
  submissions: ["GPUQueue", "submit"],
  uploads: ["GPUQueue", "writeBuffer"],
  "bind groups": ["GPUDevice", "createBindGroup"],
  buffers: ["GPUDevice", "createBuffer"],
  textures: ["GPUDevice", "createTexture"],
  waits: ["GPUBuffer", "mapAsync"],
} as const;

/** Measurement of a step. */
export interface HostCost {
  readonly adapter: string;
  /** Calls of a step after the warm-up. */
  readonly calls: Readonly<Record<keyof typeof CALLS, number>>;
  /** Milliseconds of CPU time of the main thread in each step. */
  readonly host: readonly number[];
  /** The same on a device that records and computes nothing: the share of this library's own code. */
  readonly script: readonly number[];
  /** Milliseconds of wall time of each step. */
  readonly wall: readonly number[];
  /** Peak bytes on the device, as the fake device counts them. */
  readonly bytes: number;
}

/** Time of a step by kernel; null if the adapter has no timestamp queries. */
export type StepProfile =
  | readonly {
    readonly kernel: string;
    readonly count: number;
    readonly ms: number;
  }[]
  | null;

/** Steps before the first that is timed: shaders are compiled, buffers made, and code optimised. */
const WARM = 3;
const SCRIPT_WARM = 20;

/**
 * Milliseconds of CPU time that the main thread has had; wall time on systems that do not count it. It sleeps first: Linux
 * brings the count up to date at ticks and when a thread sleeps.
 */
async function hostTime(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  try {
    return Number(Deno.readTextFileSync("/proc/self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Counts the calls that `work` makes. */
async function countCalls(work: () => Promise<void>): Promise<HostCost["calls"]> {
  const calls = Object.fromEntries(Object.keys(CALLS).map((name) => [name, 0])) as Record<
    keyof typeof CALLS,
    number
  >;
  type Method = (...args: unknown[]) => unknown;
  const undo = Object.entries(CALLS).map(([name, [type, method]]) => {
    const { prototype } = (globalThis as unknown as Record<string, { prototype: Record<string, Method> }>)[
      type
    ]!;
    const original = prototype[method]!;
    prototype[method] = function (this: unknown, ...args) {
      calls[name as keyof typeof CALLS]++;
      return original.apply(this, args);
    };
    return () => prototype[method] = original;
  });
  await work();
  for (const restore of undo) restore();
  return calls;
}

async function timeSteps(step: (index: number) => Promise<void>, warm: number, steps: number) {
  for (let i = 0; i < warm; i++) await step(i);
  const times = { host: [] as number[], wall: [] as number[] };
  for (let i = warm; i < warm + steps; i++) {
    const host = await hostTime();
    const start = performance.now();
    await step(i);
    times.wall.push(performance.now() - start);
    times.host.push(await hostTime() - host);
  }
  return times;
}

async function measure(modules: StepModules, request: HostRequest): Promise<HostCost | StepProfile> {
  const { model, kind, steps, batch: [utterances, samples], profile = false } = request;
  const checkpoint = await checkpointOf(modules, model);
  const batch = noiseBatch(utterances, samples, checkpoint.config.feat_extract_norm === "layer");
  const gpu = await modules.openGpu({ profile });
  const stepOf = (trainer: Trainer) => (index: number) => takeStep(trainer, batch, index);
  using trainer = makeTrainer(modules, gpu, checkpoint, { kind, teacher: true });
  const step = stepOf(trainer);
  if (profile) return await profileSteps(gpu, step, steps);
  const { host, wall } = await timeSteps(step, WARM, steps);
  const calls = await countCalls(() => step(WARM + steps));
  const { gpu: fake, memory } = modules.fakeGpu(gpu);
  using idle = makeTrainer(modules, fake, checkpoint, { kind, teacher: true });
  const { host: script } = await timeSteps(stepOf(idle), SCRIPT_WARM, Math.max(steps, SCRIPT_WARM));
  return { adapter: gpu.name, calls, host, script, wall, bytes: memory.peakBytes };
}

async function profileSteps(
  gpu: Gpu,
  step: (index: number) => Promise<void>,
  steps: number,
): Promise<StepProfile> {
  if (!gpu.profiler) return null;
  for (let i = 0; i < WARM; i++) await step(i);
  await gpu.sync();
  gpu.profiler.times.clear();
  for (let i = WARM; i < WARM + steps; i++) await step(i);
  await gpu.sync();
  return [...gpu.profiler.times].map(([kernel, { count, ms }]) => ({
    kernel,
    count: count / steps,
    ms: ms / steps,
  })).sort((a, b) => b.ms - a.ms);
}

const request = JSON.parse(Deno.args[0]!) as HostRequest;
console.log(JSON.stringify(await measure(await stepModules(request.root), request)));
Deno.exit(0);
