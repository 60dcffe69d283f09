// Augments audio: speed perturbation and noise.
import { philox, type RandomStream, streamParams, uniformAt } from "../../random/philox.ts";
import { concat, createResampler } from "../audio/resample.ts";
import { uniformsOf } from "../../random/uniforms.ts";

export { maskSpans, type SpanMaskOptions } from "./spec_augment.ts";

/** Speeds of the usual perturbation (Ko et al., "Audio augmentation for speech recognition", Interspeech 2015). */
export const SPEEDS: readonly number[] = [0.9, 1, 1.1];

/** Noise to add to some utterances. */
export interface NoiseOptions {
  /** Share of the utterances that get noise, 0 to 1. */
  readonly probability: number;
  /** Minimum and maximum signal-to-noise ratio in dB; drawn uniformly. */
  readonly snr: readonly [number, number];
  /** Colours to draw from; default both. */
  readonly colors?: readonly NoiseColor[];
}

/** Colour of noise: white has equal power per hertz, pink per octave. */
export type NoiseColor = "white" | "pink";

/**
 * Draws a speed for each utterance of a corpus, uniformly from `speeds`.
 *
 * @param speeds Speeds to draw from.
 * @param stream Random stream, such as that of an epoch.
 * @returns The speed of utterance `index`.
 * @throws {RangeError} If `speeds` is empty, or the stream is invalid.
 */
export function drawSpeeds(speeds: readonly number[], stream: RandomStream): (index: number) => number {
  if (speeds.length === 0) {
    throw new RangeError("Cannot draw speeds as there must be at least one: there is none");
  }
  const uniform = uniformsOf(stream);
  return (index) => speeds[Math.floor(uniform(index) * speeds.length)]!;
}

/**
 * Changes the speed of audio by resampling, which changes its pitch as well: s seconds at speed f last s / f.
 *
 * @param samples [S] at `sampleRate`.
 * @param speed 0.5 to 2.
 * @param sampleRate Hz; speed · sampleRate is rounded to a whole number.
 * @returns [⌈S / speed⌉] at `sampleRate`; the same array at speed 1.
 * @throws {RangeError} If the speed is out of range.
 *
 * @example
 * ```ts
 * import { changeSpeed } from "./augment.ts";
 *
 * const slower = await changeSpeed(new Float32Array(16_000), 0.8, 16_000);
 * console.log(slower.length); // 20000
 * ```
 */
export async function changeSpeed(
  samples: Float32Array<ArrayBuffer>,
  speed: number,
  sampleRate: number,
): Promise<Float32Array<ArrayBuffer>> {
  if (!(speed >= 0.5 && speed <= 2)) {
    throw new RangeError(`Cannot change the speed as it must be from 0.5 to 2: it is ${speed}`);
  }
  if (speed === 1) return samples;
  const from = Math.round(sampleRate * speed);
  const length = Math.ceil(samples.length * sampleRate / from);
  if (Math.max(samples.length, length) > MAX_SAMPLES) {
    const resampler = await createResampler(from, sampleRate);
    try {
      return concat([resampler.push(samples), resampler.finish()]);
    } finally {
      resampler.close();
    }
  }
  const key = `${from} ${sampleRate}`;
  const converter = await (converters.get(key) ?? loadConverter(key, from, sampleRate));
  const changed = new Float32Array(length);
  // The library rounds the length down.
  changed.set(converter.simple(samples).subarray(0, length));
  return changed;
}

/** The function of libsamplerate that converts a whole utterance. */
interface Converter {
  simple(samples: Float32Array): Float32Array;
}

// SRC_SINC_FASTEST: 80 % bandwidth, −97 dB noise; enough for a perturbation.
const FASTEST = 2;
// The library's buffers hold 1,008,000 samples of input and of output.
const MAX_SAMPLES = 900_000;
// Creating one takes longer than converting an utterance; there is one per speed.
const converters = new Map<string, Promise<Converter>>();

function loadConverter(key: string, from: number, to: number): Promise<Converter> {
  const loaded: Promise<unknown> = import("npm:@alexanderolsen/libsamplerate-js@2.1.2");
  type Library = { create(n: number, from: number, to: number, options: object): Promise<Converter> };
  const made = loaded.then((library) =>
    (library as { default: Library }).default.create(1, from, to, { converterType: FASTEST })
  );
  converters.set(key, made);
  return made;
}

/**
 * Adds noise to an utterance with the given probability.
 *
 * @param samples [S]; silence stays silence.
 * @param options Probability, level and colours.
 * @param index Position of the utterance in the epoch.
 * @param stream Random stream.
 * @returns [S], the same array if no noise is added. Values may exceed ±1.
 * @throws {RangeError} If the stream is invalid.
 *
 * @example
 * ```ts
 * import { addNoise } from "./augment.ts";
 *
 * const tone = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(i / 10));
 * const stream = { seed: 1, purpose: "noise", step: 0 };
 * const noisy = addNoise(tone, { probability: 1, snr: [10, 20] }, 0, stream);
 * ```
 */
export function addNoise(
  samples: Float32Array<ArrayBuffer>,
  options: NoiseOptions,
  index: number,
  stream: RandomStream,
): Float32Array<ArrayBuffer> {
  const { probability, snr: [least, most], colors = ["white", "pink"] } = options;
  const [chance, level, color] = [0, 1, 2].map((i) => uniformAt(index * 4 + i, stream));
  if (chance! >= probability) return samples;
  const power = meanSquare(samples);
  const key = { ...stream, purpose: `${stream.purpose} ${index}` };
  const noise = makeNoise(samples.length, colors[Math.floor(color! * colors.length)] ?? "white", key);
  const snr = least + level! * (most - least);
  const gain = Math.sqrt(power / 10 ** (snr / 10) / (meanSquare(noise) || 1));
  return samples.map((x, i) => x + gain * noise[i]!);
}

/**
 * Gaussian noise of about unit variance. Pink noise is white noise through three poles (Kellet's "economy" filter: within
 * 0.5 dB of a slope of 3 dB per octave).
 *
 * @param length Number of samples.
 * @param color White or pink.
 * @param stream Random stream.
 * @returns [length]
 * @throws {RangeError} If the stream is invalid.
 */
export function makeNoise(
  length: number,
  color: NoiseColor,
  stream: RandomStream,
): Float32Array<ArrayBuffer> {
  const { seed, purpose, step } = streamParams(stream);
  const noise = new Float32Array(length);
  for (let block = 0; block * 4 < length; block++) {
    const words = philox([block, 0, step, 1], [seed, purpose]);
    for (let pair = 0; pair < 4; pair += 2) {
      // Box–Muller (1958); 0.5 keeps the logarithm finite.
      const radius = Math.sqrt(-2 * Math.log((words[pair]! + 0.5) / 2 ** 32));
      const angle = 2 * Math.PI * words[pair + 1]! / 2 ** 32;
      noise[block * 4 + pair] = radius * Math.cos(angle);
      noise[block * 4 + pair + 1] = radius * Math.sin(angle);
    }
  }
  return color === "white" ? noise : pinken(noise);
}

function pinken(white: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  let [a, b, c] = [0, 0, 0];
  return white.map((x) => {
    a = 0.99765 * a + 0.0990460 * x;
    b = 0.96300 * b + 0.2965164 * x;
    c = 0.57000 * c + 1.0526913 * x;
    // 3.1: the standard deviation of the sum for unit white noise, checked by a test.
    return (a + b + c + 0.1848 * x) / 3.1;
  });
}

function meanSquare(samples: Float32Array): number {
  let sum = 0;
  for (const x of samples) sum += x * x;
  return sum / Math.max(1, samples.length);
}
