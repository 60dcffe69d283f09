import type { SpeechModel } from "../model/speech_model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AdamW } from "./optimizer.ts";
import type { StateTensor } from "./run_state.ts";

/**
 * Reads what a training step changes: the weights, and the averages of those that are trained. The numbers are those
 * of the moment of the call; steps recorded while it is pending do not show.
 *
 * @param model What learns.
 * @param optimizer Over its weights.
 * @returns `weight.NAME`, `exp_avg.NAME`, `exp_avg_sq.NAME`, as the device keeps them: convolutions are [O, K, C].
 */
export async function takeSnapshot(
  model: SpeechModel,
  optimizer: AdamW,
): Promise<Map<string, StateTensor>> {
  const reads = [...places(model, optimizer)].map(async ([name, tensor]) => {
    const data = await tensor.read() as Float32Array<ArrayBuffer>;
    return [name, { shape: tensor.shape, data }] as const;
  });
  return new Map(await Promise.all(reads));
}

/**
 * Puts a snapshot back. Set `optimizer.steps` beside it.
 *
 * @throws {TypeError} If the state is of another model, or other weights were trained; nothing has changed then.
 */
export function restoreSnapshot(
  model: SpeechModel,
  optimizer: AdamW,
  tensors: ReadonlyMap<string, StateTensor>,
): void {
  const { gpu } = model;
  const all = [...places(model, optimizer)];
  for (const [name, { shape }] of all) {
    const saved = tensors.get(name);
    if (saved?.data instanceof Float32Array && saved.shape.join() === shape.join()) continue;
    const found = saved ? `it is [${saved.shape.join(", ")}]` : "it is missing";
    throw new TypeError(`Cannot resume as the state's ${name} must be [${shape.join(", ")}]: ${found}`);
  }
  gpu.scope(() => {
    for (const [name, tensor] of all) {
      gpu.copy(gpu.tensor(tensors.get(name)!.data as Float32Array, tensor.shape), tensor);
    }
  });
}

function* places(model: SpeechModel, optimizer: AdamW): Generator<[string, Tensor]> {
  const { weights } = model;
  const names = new Map(weights.names.map((name) => [weights.get(name), name]));
  for (const [tensor, name] of names) yield [`weight.${name}`, tensor];
  for (const [param, { expAvg, expAvgSq }] of optimizer.state()) {
    const name = names.get(param);
    if (name === undefined) continue;
    yield [`exp_avg.${name}`, expAvg];
    yield [`exp_avg_sq.${name}`, expAvgSq];
  }
}
