import { uniformAt } from "../../random/philox.ts";
import { costsOf } from "../../model/costs.ts";
import type { SpeechModel } from "../../model/speech_model.ts";
import { noGrad } from "../../tensor/tape.ts";

/** How {@linkcode measureSpeed} measures. */
export interface SpeedOptions {
  /** Seconds of a clip; 10 unless given. */
  readonly seconds?: number;
  /** Times that each model is run, of which the median counts; 7 unless given. */
  readonly rounds?: number;
}

/** What {@linkcode measureSpeed} finds. */
export interface Speed {
  /** Clips that are computed together. */
  readonly clips: number;
  /** Seconds of a clip. */
  readonly clip_seconds: number;
  /** Runs of each model. */
  readonly rounds: number;
  /** Compute seconds per second of audio, of each model in the order given. */
  readonly seconds_per_second: readonly number[];
}

/** Work of a run at most: more clips hide what a dispatch costs, and take longer. */
const MACS = 5e9;
const MOST_CLIPS = 32;

/**
 * Measures how fast models run, in alternation, so that whatever else the machine does slows all of them alike: from the
 * samples on the host to the logits on the host, clips of noise of one length, without gradients.
 *
 * @param models At least one, on one device; the first decides how many clips are computed together.
 * @param options Length and rounds.
 */
export async function measureSpeed(
  models: readonly SpeechModel[],
  { seconds = 10, rounds = 7 }: SpeedOptions = {},
): Promise<Speed> {
  const samples = Math.round(seconds * 16_000);
  const { macs } = costsOf(models[0]!.config, samples);
  const clips = Math.max(1, Math.min(MOST_CLIPS, Math.floor(MACS / macs)));
  const stream = { seed: 0, purpose: "clips to measure with", step: 0 };
  const audio = Float32Array.from({ length: clips * samples }, (_, i) => 2 * uniformAt(i, stream) - 1);
  const run = async (model: SpeechModel) => {
    const start = performance.now();
    const { gpu } = model;
    // In an object, since a scope may not return a promise.
    const { read } = gpu.scope(() =>
      noGrad(gpu, () => {
        const { logits, hidden } = model.forward({ samples: gpu.tensor(audio, [clips, samples]) });
        return { read: (logits ?? hidden).read() };
      })
    );
    await read;
    return (performance.now() - start) / 1000;
  };
  for (const model of models) await run(model);
  const times = models.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, model] of models.entries()) times[i]!.push(await run(model));
  }
  const seconds_per_second = times.map((all) => median(all) / (clips * seconds));
  return { clips, clip_seconds: seconds, rounds, seconds_per_second };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
