// Normalisation of audio of which the end is not known yet.
import { EPSILON } from "./preprocess.ts";

/** x becomes (x − mean) · factor. */
export interface Scaling {
  readonly mean: number;
  readonly factor: number;
}

/** Mean and variance of the samples so far. The sums do not depend on how the samples are cut into pieces. */
export class RunningMoments {
  #count = 0;
  #sum = 0;
  #squares = 0;

  /** Adds samples. */
  add(samples: Float32Array): void {
    let [sum, squares] = [this.#sum, this.#squares];
    for (const sample of samples) {
      sum += sample;
      squares += sample * sample;
    }
    this.#count += samples.length;
    [this.#sum, this.#squares] = [sum, squares];
  }

  /** What gives the samples so far mean 0 and variance 1, as `Wav2Vec2FeatureExtractor` does for an utterance. */
  scaling(): Scaling {
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#squares / this.#count - mean * mean);
    return { mean, factor: 1 / Math.sqrt(variance + EPSILON) };
  }

  /** A copy that takes other samples than this. */
  clone(): RunningMoments {
    const copy = new RunningMoments();
    [copy.#count, copy.#sum, copy.#squares] = [this.#count, this.#sum, this.#squares];
    return copy;
  }
}

/** Scaled samples. */
export function scaled(samples: Float32Array, { mean, factor }: Scaling): Float32Array<ArrayBuffer> {
  return Float32Array.from(samples, (sample) => (sample - mean) * factor);
}
