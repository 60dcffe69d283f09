// Compares a model on the device with what transformers computes.
import { readCheckpoint, type ReadCheckpointOptions } from "../../model/checkpoint/read.ts";
import { parseSafetensors, toFloat32 } from "../../model/checkpoint/safetensors.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Bound of errors, relative to each tensor's largest value. */
export const BOUND = 2e-5;
/** Samples of the utterances of a batch, as in models.py. */
const LENGTHS = [1300, 1000];

interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

async function readValues(path: string): Promise<Map<string, Values>> {
  const { tensors } = parseSafetensors(await Deno.readFile(path), path);
  return new Map([...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: toFloat32(entry) }]));
}

/** Largest error, relative to the largest expected value; infinite if shapes differ. */
function errorOf(found: Values, expected: Values): number {
  if (found.shape.join() !== expected.shape.join()) return Infinity;
  let [worst, largest] = [0, 0];
  expected.data.forEach((value, i) => {
    const error = Math.abs(found.data[i]! - value);
    if (!(error <= worst)) worst = error;
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}

/** Logits and hidden states of a model, named as in models.py. */
async function outputsOf(model: SpeechModel, samples: Values): Promise<Map<string, Values>> {
  const { gpu, config } = model;
  const outputs = new Map<string, Tensor>();
  for (const [suffix, lengths] of [[".masked", LENGTHS], ["", null]] as const) {
    gpu.scope(() => {
      const x = gpu.tensor(samples.data, samples.shape);
      const last = config.num_hidden_layers;
      const names = new Map([["encoder_in", 0], ["encoder_out", last]]);
      for (let i = 0; i < last - 1; i++) names.set(`layer.${i}`, i + 1);
      const observe = (name: string, x: Tensor) => {
        if (names.has(name)) outputs.set(`hidden.${names.get(name)}${suffix}`, x);
        else x.dispose();
      };
      const { logits } = model.forward({ samples: x, lengths }, { observe });
      if (logits) outputs.set(`logits${suffix}`, gpu.keep(logits.view()));
    });
  }
  const read = [...outputs].map(async ([name, x]) => {
    const data = await x.read() as Float32Array;
    x.dispose();
    return [name, { shape: x.shape, data }] as const;
  });
  return new Map(await Promise.all(read));
}

/**
 * Largest error of the logits and hidden states of a model, with and without an attention mask.
 *
 * @param gpu Device.
 * @param options Language of the model.
 * @param folder Folder of the model, with what transformers computes in `expected.safetensors`.
 */
export async function errorOfModel(
  gpu: Gpu,
  folder: string,
  options?: ReadCheckpointOptions,
): Promise<number> {
  const expected = await readValues(`${folder}/expected.safetensors`);
  using model = new SpeechModel(gpu, await readCheckpoint(folder, options));
  const found = await outputsOf(model, expected.get("samples")!);
  expected.delete("samples");
  const errors = [...expected].map(([name, values]) =>
    found.has(name) ? errorOf(found.get(name)!, values) : Infinity
  );
  return Math.max(...errors);
}
