import type { SpeechModel } from "../model/speech_model.ts";
import { TOGETHER } from "../tensor/read_together.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AdamW } from "./optimizer.ts";
import type { StateSource, StateTensor } from "./run_state.ts";

/**
 * All tensors that a training step changes: the weights, and the Adam moments of the trained ones. They are read when the
 * state is written: begin no step until then.
 *
 * @param model Model in training.
 * @param optimizer Optimizer of its weights.
 * @returns `weight.NAME`, `exp_avg.NAME`, `exp_avg_sq.NAME`, in the device's layout: convolutions are [O, K, C].
 */
export function takeSnapshot(model: SpeechModel, optimizer: AdamW): Map<string, StateSource> {
  return new Map([...stateTensors(model, optimizer)].map(([name, tensor]) => {
    const read = () => tensor.read() as Promise<Float32Array<ArrayBuffer>>;
    return [name, { shape: tensor.shape, dtype: "F32", read }] as const;
  }));
}

/**
 * Restores a snapshot. Set `optimizer.steps` too.
 *
 * @throws {TypeError} If the state is of another model, or other weights were trained; nothing is changed then.
 */
export function restoreSnapshot(
  model: SpeechModel,
  optimizer: AdamW,
  tensors: ReadonlyMap<string, StateTensor>,
): void {
  const { gpu } = model;
  const all = [...stateTensors(model, optimizer)];
  for (const [name, { shape }] of all) {
    const saved = tensors.get(name);
    if (saved?.data instanceof Float32Array && saved.shape.join() === shape.join()) continue;
    const found = saved ? `it is [${saved.shape.join(", ")}]` : "it is missing";
    throw new TypeError(`Cannot resume as the state's ${name} must be [${shape.join(", ")}]: ${found}`);
  }
  let bytes = 0;
  for (const [name, tensor] of all) {
    gpu.scope(() => gpu.copy(gpu.tensor(tensors.get(name)!.data as Float32Array, tensor.shape), tensor));
    bytes += tensor.size * 4;
    if (bytes < TOGETHER) continue;
    gpu.flush(); // frees the staging buffers for the next tensors
    bytes = 0;
  }
}

function* stateTensors(model: SpeechModel, optimizer: AdamW): Generator<[string, Tensor]> {
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
