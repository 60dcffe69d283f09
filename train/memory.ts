import { fakeGpu } from "../tensor/fake_gpu.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { TOGETHER } from "../tensor/read_together.ts";
import type { Trainer } from "./trainer.ts";
import { type BatchSource, START } from "./micro_batch.ts";
import { takeSteps } from "./take_steps.ts";

/** Memory that a training takes. */
export interface MemoryNeed {
  /** Bytes on the device at most. */
  readonly deviceBytes: number;
  /**
   * Bytes of the program beside that, with what is read of a state at once, copies of the weights, clips that are kept, and
   * what the driver of a software adapter keeps.
   */
  readonly hostBytes: number;
}

/** Options of {@linkcode measureMemory}. */
export interface MeasureMemoryOptions {
  /** Clips to learn from. */
  readonly source: BatchSource;
  /** Micro-batches of a step; 1 unless given. */
  readonly gradAccumSteps?: number;
  /** Whether weights are read back while training goes on, as where the best ones are kept; they are unless given. */
  readonly copies?: boolean;
  /** Steps of the training, in which clips come to be kept; as many as are looked at unless given. */
  readonly planned?: number;
  /** Steps to look at, since batches differ; 12 unless given. */
  readonly steps?: number;
  /** What is done on the device when the training has given its memory back. */
  readonly after?: (gpu: Gpu) => Promise<unknown>;
}

/**
 * What a software adapter keeps beside buffers and textures, as measured on llvmpipe under Deno: each compiled pipeline, and
 * what lies unused in blocks of 128 MiB, from which memory is taken.
 */
const [PIPELINE, UNUSED] = [1.9e6, 3 * 2 ** 26];

/**
 * The memory that a training will take, without computing: its first steps are planned on a device that allocates as the
 * real one does, see {@linkcode fakeGpu}.
 *
 * @param gpu Device that it is to run on.
 * @param make Makes what learns on the device that it is given.
 * @param options Batches.
 */
export async function measureMemory(
  gpu: Gpu,
  make: (gpu: Gpu) => Trainer,
  { source, gradAccumSteps = 1, copies = true, steps = 12, planned = steps, after = () => Promise.resolve() }:
    MeasureMemoryOptions,
): Promise<MemoryNeed> {
  const { gpu: dry, memory } = fakeGpu(gpu);
  let [copy, seconds] = [0, 0];
  {
    using trainer = make(dry);
    await using feed = takeSteps(source, START, gradAccumSteps);
    for (let step = 0; step < steps; step++) {
      const { batches } = await feed.take();
      seconds += batches.reduce((sum, batch) => sum + batch.seconds, 0);
      await trainer.step(batches, { seed: 0, step, lrScale: 1, maxGradNorm: 1 });
    }
    const { weights } = trainer.model;
    if (copies) copy = weights.names.reduce((sum, name) => sum + weights.get(name).size * 4, 0);
  }
  const { rss } = Deno.memoryUsage();
  await after(dry);
  const driver = gpu.software ? PIPELINE * dry.pipelines.count + UNUSED : 0;
  const clips = source.keptBytes?.(seconds / steps * planned) ?? 0;
  return { deviceBytes: memory.peakBytes, hostBytes: rss + TOGETHER + copy + clips + driver };
}
