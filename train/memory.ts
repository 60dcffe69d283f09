import { sizeOf } from "../tensor/shape.ts";
import { fakeGpu } from "../tensor/fake_gpu.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { TOGETHER } from "../tensor/read_together.ts";
import type { Trainer } from "./trainer.ts";
import { type BatchSource, START } from "./micro_batch.ts";
import { takeSteps } from "./take_steps.ts";

/** Estimated memory of a training. */
export interface MemoryNeed {
  /** Peak bytes on the device. */
  readonly deviceBytes: number;
  /**
   * Bytes of the process: its present memory, read-backs of a state, copies of the weights, cached utterances, and what
   * the driver of a software adapter allocates.
   */
  readonly hostBytes: number;
  /** Bytes of the states on disk, one of which is being written, and of the models. */
  readonly diskBytes: number;
}

/** Options of {@linkcode measureMemory}. */
export interface MeasureMemoryOptions {
  /** Utterances to train on. */
  readonly source: BatchSource;
  /** Micro-batches per step; default: 1. */
  readonly gradAccumSteps?: number;
  /** Whether the best weights are read back during training; default: true. */
  readonly copies?: boolean;
  /** Steps of the training, over which the cache of utterances grows; default: `steps`. */
  readonly planned?: number;
  /** Steps to simulate, since batches differ; default: 12. */
  readonly steps?: number;
  /** Work on the device after the training has freed its memory. */
  readonly after?: (gpu: Gpu) => Promise<unknown>;
}

/**
 * Bytes that a software adapter allocates besides buffers and textures, measured on llvmpipe in Deno: per compiled
 * pipeline, and the unused part of the 128 MiB blocks that it allocates from.
 */
const [PIPELINE, UNUSED] = [1.9e6, 3 * 2 ** 26];

/** States on disk at a time: the last two, and one that is being written. */
const STATES = 3;
/** Copies of the model on disk: of pruning, of fine-tuning, and the result. */
const MODELS = 3;

/**
 * Estimates the memory of a training without computing: its first steps run on a fake device, which allocates as the real
 * one does, see {@linkcode fakeGpu}.
 *
 * @param gpu Device that the training will run on.
 * @param make Returns the trainer for a given device.
 * @param options Batches, and what else takes memory.
 */
export async function measureMemory(
  gpu: Gpu,
  make: (gpu: Gpu) => Trainer,
  { source, gradAccumSteps = 1, copies = true, steps = 12, planned = steps, after = () => Promise.resolve() }:
    MeasureMemoryOptions,
): Promise<MemoryNeed> {
  const { gpu: fake, memory } = fakeGpu(gpu);
  let [model, state, seconds] = [0, 0, 0];
  {
    using trainer = make(fake);
    await using feed = takeSteps(source, START, gradAccumSteps);
    for (let step = 0; step < steps; step++) {
      const { batches } = await feed.take();
      seconds += batches.reduce((sum, batch) => sum + batch.seconds, 0);
      await trainer.step(batches, { seed: 0, step, lrScale: 1, maxGradNorm: 1 });
    }
    const { weights } = trainer.model;
    model = weights.names.reduce((sum, name) => sum + weights.get(name).size * 4, 0);
    for (const { shape, dtype } of trainer.snapshot().values()) {
      state += sizeOf(shape) * (dtype === "F64" ? 8 : 4);
    }
  }
  const { rss } = Deno.memoryUsage();
  await after(fake);
  const driver = gpu.software ? PIPELINE * fake.pipelines.count + UNUSED : 0;
  const cache = source.keptBytes?.(seconds / steps * planned) ?? 0;
  return {
    deviceBytes: memory.peakBytes,
    hostBytes: rss + TOGETHER + (copies ? model : 0) + cache + driver,
    diskBytes: STATES * state + MODELS * model,
  };
}
