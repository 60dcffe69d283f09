import { BufferUsage, MapMode } from "./flags.ts";

/** Time of a kernel's dispatches, as timestamp queries measure it. */
export interface KernelTime {
  /** Number of dispatches. */
  count: number;
  /** Milliseconds of all of them together. */
  ms: number;
}

/**
 * Timestamps around every dispatch, summed by kernel.
 *
 * @example
 * ```ts
 * import { gelu, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu({ profile: true });
 * gelu(gpu.tensor([1, 2, 3]));
 * await gpu.sync();
 * for (const [label, { count, ms }] of gpu.profiler?.times ?? []) console.log(label, count, ms);
 * ```
 */
export class Profiler {
  /** Time by kernel and constants. */
  readonly times: Map<string, KernelTime> = new Map();
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #labels: string[] = [];
  #batch: { labels: string[]; buffer: GPUBuffer } | null = null;

  /** Dispatches of one submission that are timed; later ones are not counted. */
  static readonly capacity = 2048;

  /** Creates the query set. @param device Device with the feature `timestamp-query`. */
  constructor(device: GPUDevice) {
    this.#device = device;
    const count = Profiler.capacity * 2;
    this.#queries = device.createQuerySet({ type: "timestamp", count });
    this.#resolved = device.createBuffer({
      label: "timestamps",
      size: count * 8,
      usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC,
    });
  }

  /** Descriptor of a pass that is timed under a label. */
  pass(label: string): GPUComputePassDescriptor {
    const at = this.#labels.length * 2;
    if (at >= Profiler.capacity * 2) return {};
    this.#labels.push(label);
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      },
    };
  }

  /** Adds the copy of the timestamps to the end of a submission. */
  resolve(encoder: GPUCommandEncoder): void {
    const labels = this.#labels;
    this.#labels = [];
    if (labels.length === 0) return;
    const bytes = labels.length * 16;
    const buffer = this.#device.createBuffer({
      size: bytes,
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
    });
    encoder.resolveQuerySet(this.#queries, 0, labels.length * 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, buffer, 0, bytes);
    this.#batch = { labels, buffer };
  }

  /** Reads the timestamps of the submission just made, behind `watch`. */
  collect(watch: (check: Promise<void>) => void): void {
    const batch = this.#batch;
    if (!batch) return;
    this.#batch = null;
    const { labels, buffer } = batch;
    watch(
      buffer.mapAsync(MapMode.READ).then(() => {
        const ticks = new BigInt64Array(buffer.getMappedRange());
        labels.forEach((label, i) => {
          const time = this.times.get(label) ?? { count: 0, ms: 0 };
          time.count++;
          time.ms += Number(ticks[2 * i + 1]! - ticks[2 * i]!) / 1e6;
          this.times.set(label, time);
        });
        buffer.destroy();
      }, () => {}), // a lost device rejects; the next wait reports it
    );
  }
}
