/**
 * The most that an adapter can do: measured by a kernel of multiply–adds and one that copies, and published for some GPUs.
 *
 * @module
 */

import source from "./peak.wgsl" with { type: "text" };

/** The most that an adapter can do. */
export interface Peak {
  /** TFLOP/s in f32 that the kernel of multiply–adds reaches. */
  readonly measured: number;
  /** TFLOP/s in f32 that the maker publishes; null if the adapter is not in the table. */
  readonly published: number | null;
  /** GB/s that a copy reads and writes. */
  readonly memory: number;
}

/** Published TFLOP/s in f32 without tensor cores, by part of the adapter's name; docs/performance.md names the sources. */
const PUBLISHED: readonly (readonly [RegExp, number])[] = [
  [/\bH[12]00\b/, 66.9],
  [/\bA100\b/, 19.5],
  [/RTX 4090/, 82.6],
  [/M1 Max/, 10.4],
];

/** Operations of an invocation of `arithmetic`: 512 rounds of 8 multiply–adds of vec4. */
const OPERATIONS = 512 * 8 * 4 * 2;

const SAMPLES = 5;

/** Measures both. @param quick Whether to do little. */
export async function measurePeak(device: GPUDevice, name: string, quick: boolean): Promise<Peak> {
  const bytes = Math.min(quick ? 2 ** 22 : 2 ** 28, device.limits.maxStorageBufferBindingSize);
  const buffer = () => device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE });
  const [x, y] = [buffer(), buffer()];
  const module = device.createShaderModule({ code: source });
  const run = async (entryPoint: string, workgroups: [number, number], repeat: number) => {
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint } });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [x, y].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const sample = async (count: number) => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < count; i++) pass.dispatchWorkgroups(...workgroups);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - start;
    };
    await sample(1); // compiles
    // Deno waits up to 10 ms longer than needed, which the difference of two samples does not have in it.
    let fastest = Infinity;
    for (let i = 0; i < SAMPLES; i++) {
      const [short, long] = [await sample(repeat), await sample(3 * repeat)];
      if (long > short) fastest = Math.min(fastest, (long - short) / (2 * repeat));
    }
    return fastest;
  };
  const [groups, repeat] = quick ? [64, 4] : [16_384, 40];
  const arithmetic = await run("arithmetic", [groups, 1], repeat);
  const vectors = bytes / 16;
  const copy = await run(
    "memory",
    [Math.min(65_535, vectors / 256), Math.ceil(vectors / 256 / 65_535)],
    repeat,
  );
  for (const one of [x, y]) one.destroy();
  const published = PUBLISHED.find(([pattern]) => pattern.test(name))?.[1] ?? null;
  return { measured: groups * 64 * OPERATIONS / arithmetic / 1e9, published, memory: 2 * bytes / copy / 1e6 };
}

/** The f32 peak that shares are of, and where it comes from. */
export function peakOf({ measured, published }: Peak): { teraflops: number; source: string } {
  return published === null
    ? { teraflops: measured, source: "a kernel of multiply–adds" }
    : { teraflops: published, source: "published" };
}
