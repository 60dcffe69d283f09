// Whether what a process holds grows.

/** What a process holds after some steps. */
export interface Sample {
  readonly step: number;
  /** Resident memory, in bytes. */
  readonly rss: number;
  /** JavaScript objects, in bytes. */
  readonly heap: number;
  /** Device buffers lent out. */
  readonly buffers: number;
  /** Bytes of all device buffers. */
  readonly pooled: number;
  /** Textures lent out. */
  readonly textures: number;
  readonly pipelines: number;
  /** Open file descriptors. */
  readonly files: number;
}

/**
 * Share that memory may differ by between two thirds of a run. Resident memory has jumps, as V8 and the driver take and return
 * blocks.
 */
const SLACK = { rss: 0.1, heap: 0.05, pooled: 0 };

/** A sample as a line of text. */
export function sampleText({ step, rss, heap, pooled, ...counts }: Sample): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const { buffers, textures, pipelines, files } = counts;
  return [
    `step ${step}`,
    `resident ${megabytes(rss)}`,
    `heap ${megabytes(heap)}`,
    `device ${megabytes(pooled)}`,
    `${buffers} buffers`,
    `${textures} textures`,
    `${pipelines} pipelines`,
    `${files} files`,
  ].join("  ");
}

/**
 * What grows from the second third of a run to the last; the first is for warming up.
 *
 * @param samples at least three samples
 * @returns a sentence for each
 */
export function growth(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [samples.slice(third, -third), samples.slice(-third)];
  const grown: string[] = [];
  for (const name of ["buffers", "textures", "pipelines", "files"] as const) {
    const [before, after] = [middle, last].map((some) => Math.max(...some.map((sample) => sample[name])));
    if (after! > before!) grown.push(`${name} grow from ${before} to ${after}`);
  }
  for (const [name, slack] of Object.entries(SLACK) as [keyof typeof SLACK, number][]) {
    const [before, after] = [middle, last].map((some) => median(some.map((sample) => sample[name])));
    if (after! > before! * (1 + slack)) {
      grown.push(`${name} grows from ${(before! / 1e6).toFixed(1)} to ${(after! / 1e6).toFixed(1)} MB`);
    }
  }
  return grown;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
