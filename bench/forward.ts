/**
 * The forward pass that models are measured with.
 *
 * @module
 */

import type { SpeechModel } from "../model/speech_model.ts";
import { noGrad } from "../tensor/tape.ts";
import { SECONDS } from "./compact_cases.ts";
import { uniform } from "./inputs.ts";

/** A forward pass over {@linkcode SECONDS} of noise, from samples on the host to logits on the host. */
export async function forward(model: SpeechModel): Promise<Float32Array> {
  const { gpu } = model;
  const audio = uniform(SECONDS * 16_000, 1);
  // In an object, since a scope may not return a promise.
  const { read } = gpu.scope(() =>
    noGrad(gpu, () => {
      const { logits, hidden } = model.forward({ samples: gpu.tensor(audio, [1, audio.length]) });
      return { read: (logits ?? hidden).read() };
    })
  );
  return await read as Float32Array;
}
