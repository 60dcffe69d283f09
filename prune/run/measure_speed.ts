import { uniformAt } from "../../random/philox.ts";
import { costsOf } from "../../model/costs.ts";
import type { SpeechModel } from "../../model/speech_model.ts";
import { noGrad } from "../../tensor/tape.ts";

/** Options of {@linkcode measureSpeed}. */
export interface SpeedOptions {
  /** Seconds of audio per utterance; default: 10. */
  readonly seconds?: number;
  /** Runs of each model, whose median is taken; default: 7. */
  readonly rounds?: number;
}

/** Result of {@linkcode measureSpeed}. */
export interface Speed {
  /** Batch size. */
  readonly utterances: number;
  /** Seconds of audio per utterance. */
  readonly utterance_seconds: number;
  /** Runs of each model. */
  readonly rounds: number;
  /** Compute seconds per second of audio, of each model in the order given. */
  readonly seconds_per_second: readonly number[];
}

/** Largest work of a run: a larger batch hides the cost of dispatches, and takes longer. */
const MAX_MACS = 5e9;
const MAX_UTTERANCES = 32;

/**
 * Measures the speed of models in alternation, so that other load on the machine slows all of them alike: from samples on
 * the host to logits on the host, for a batch of noise without padding, without gradients.
 *
 * @param models At least one model, all on one device; the first determines the batch size.
 * @param options Length and rounds.
 */
export async function measureSpeed(
  models: readonly SpeechModel[],
  { seconds = 10, rounds = 7 }: SpeedOptions = {},
): Promise<Speed> {
  const samples = Math.round(seconds * 16_000);
  const { macs } = costsOf(models[0]!.config, samples);
  const utterances = Math.max(1, Math.min(MAX_UTTERANCES, Math.floor(MAX_MACS / macs)));
  const stream = { seed: 0, purpose: "clips to measure with", step: 0 };
  const audio = Float32Array.from({ length: utterances * samples }, (_, i) => 2 * uniformAt(i, stream) - 1);
  const run = async (model: SpeechModel) => {
    const start = performance.now();
    const { gpu } = model;
    // In an object, since a scope may not return a promise.
    const { read } = gpu.scope(() =>
      noGrad(gpu, () => {
        const { logits, hidden } = model.forward({ samples: gpu.tensor(audio, [utterances, samples]) });
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
  const seconds_per_second = times.map((all) => median(all) / (utterances * seconds));
  return { utterances, utterance_seconds: seconds, rounds, seconds_per_second };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
