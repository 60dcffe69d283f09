// This folder is the pruning method. Units have hard-concrete gates, which are trained together with the weights under
// constraints of cost (this file); then units are chosen (choose.ts) and removed (surgery.ts).

import type { Communicator } from "../comm/communicator.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { type BatchScores, evaluateBatches, type EvaluateBatchesOptions } from "../train/evaluate.ts";
import { parameterGroups } from "../train/groups.ts";
import type { FinetuneTrainerOptions, StepRecord, Trainer, TrainerStepOptions } from "../train/trainer.ts";
import type { MicroBatch } from "../train/micro_batch.ts";
import { AdamW } from "../train/optimizer.ts";
import type { StateSource, StateTensor } from "../train/run_state.ts";
import { restoreSnapshot, takeSnapshot } from "../train/snapshot.ts";
import { isFiniteStep } from "../train/finite_step.ts";
import { TrainStep } from "../train/train_step.ts";
import { clipJointly } from "./joint_clip.ts";
import { DeviceGates } from "./device_gates.ts";
import type { GateGradients, HardConcreteGates } from "./hard_concrete_gates.ts";
import type { UnitGroup } from "./groups.ts";
import { activeSubmodel, type ActiveUnits, activeUnits } from "./active_submodel.ts";

/** Options of {@linkcode PruningTrainer}. */
export interface PruningTrainerOptions extends FinetuneTrainerOptions {
  /** Gates and Lagrange multipliers. */
  readonly gates: HardConcreteGates;
  /** Learning rate of the log-alphas. */
  readonly gateRate: number;
  /** Learning rate of the Lagrange multipliers. */
  readonly lambdaRate: number;
  /** Steps of the run. Both rates fall over its last 30 %, so that the choice of units settles. */
  readonly steps: number;
}

/** Share of the run after which the learning rates of the gates fall, and their factor at its end. */
const [FALL_FROM, FALL_TO] = [0.7, 0.1];
/** Prefix of the gates' tensors in the state. */
const PREFIX = "gates.";

/**
 * Trains weights, gates and Lagrange multipliers together. A step
 *
 * 1. samples the gates and uploads them,
 * 2. runs forward and backward passes of the active submodel, without the units whose gates are closed,
 * 3. reads back the gradients of the gates and the norm of the weights' gradients,
 * 4. clips all gradients by their joint norm, and updates log-alphas and Lagrange multipliers on the host, weights on the
 *    device.
 *
 * The device updates the weights while the host prepares the next step.
 *
 * @example
 * ```ts ignore
 * const gates = new HardConcreteGates({ config, constraints, seed: 1, warmup: 100 });
 * using trainer = new PruningTrainer(model, { gates, lr: 1e-4, gateRate: 0.1, lambdaRate: 0.2, steps: 400 });
 * await trainer.step(batches, { seed: 1, step: 0, lrScale: 1, maxGradNorm: 10 });
 * ```
 */
export class PruningTrainer implements Trainer {
  /** The model, which is disposed with the trainer. */
  readonly model: SpeechModel;
  readonly #options: PruningTrainerOptions;
  readonly #optimizer: AdamW;
  readonly #trainStep: TrainStep;
  /** Step begun last; the next one needs the gates that it leaves. */
  #last: Promise<StepRecord | null> = Promise.resolve(null);

  /** @param model Model to prune; the trainer disposes it. @param options Gates and learning rates. */
  constructor(model: SpeechModel, options: PruningTrainerOptions) {
    this.model = model;
    this.#options = options;
    this.#optimizer = new AdamW(parameterGroups(model, options));
    this.#trainStep = new TrainStep(model, this.#optimizer, options);
  }

  /** Takes a step, after those begun before it. After a step that is not finite it changes nothing. */
  step(batches: readonly MicroBatch[], options: TrainerStepOptions): Promise<StepRecord> {
    const next = this.#last.then((before) => {
      return before && !isFiniteStep(before) ? before : this.#step(batches, options);
    });
    this.#last = next;
    return next;
  }

  async #step(batches: readonly MicroBatch[], options: TrainerStepOptions): Promise<StepRecord> {
    const { seed, step, lrScale, maxGradNorm } = options;
    const { gates } = this.#options;
    const { gpu, config } = this.model;
    const samples = gates.sample(step);
    const values = new Map([...samples].map(([name, { z }]) => [name, z]));
    const open = activeUnits(config, gates.groups, values);
    using device = new DeviceGates(gpu, open.config, open.groups, open.gates, { requiresGrad: true });
    this.#trainStep.accumulate(batches, {
      seed,
      step,
      gates: device.gates,
      view: (model) => activeSubmodel(model, gates.groups, open),
      sink: () => device.gradientSink(),
    });
    const gateGradients = device.readGradients();
    gateGradients.catch(() => {}); // thrown when it is awaited
    if (this.#options.comm) await this.#trainStep.exchange();
    const [{ loss, gradNorm: weightsNorm }, parts] = await Promise.all([
      this.#trainStep.measure(),
      gateGradients,
    ]);
    const dz = sumGradients(parts, gates.groups, open);
    if (this.#options.comm) await sumOverProcesses(this.#options.comm, [...dz.values()]);
    const gradients = gates.differentiate(samples, step, dz);
    const { norm, scale, weightsMaxNorm } = clipJointly(weightsNorm, gradients.squares, maxGradNorm);
    const result = { loss, gradNorm: norm };
    if (isFiniteStep(result)) {
      const factor = this.#rateFactor(step);
      const { gateRate, lambdaRate } = this.#options;
      gates.update(gradients, { rate: gateRate * factor, lambdaRate: lambdaRate * factor, scale });
      this.#trainStep.update({ lrScale, maxGradNorm: weightsMaxNorm });
      gpu.flush();
    }
    return { ...result, ...describe(gradients) };
  }

  /** Factor of the learning rates of log-alphas and Lagrange multipliers. */
  #rateFactor(step: number): number {
    const { steps } = this.#options;
    const over = Math.max(0, step / steps - FALL_FROM) / (1 - FALL_FROM);
    return 1 - (1 - FALL_TO) * Math.min(1, over);
  }

  /** Evaluates the model with deterministic gates, as surgery folds them into the weights. */
  async evaluate(
    batches: AsyncIterable<MicroBatch>,
    options: EvaluateBatchesOptions,
  ): Promise<BatchScores> {
    const { gates } = this.#options;
    const { gpu, config } = this.model;
    using device = new DeviceGates(gpu, config, gates.groups, gates.deterministicGates());
    return await evaluateBatches(this.model, batches, { ...options, gates: device.gates });
  }

  /** Weights, log-alphas and Lagrange multipliers, with their Adam moments. */
  snapshot(): Map<string, StateSource> {
    const state = takeSnapshot(this.model, this.#optimizer);
    for (const [name, data] of Object.entries(this.#options.gates.state().tensors)) {
      const read = () => Promise.resolve(data as Float64Array<ArrayBuffer>);
      state.set(`${PREFIX}${name}`, { shape: [data.length], dtype: "F64", read });
    }
    return state;
  }

  /** Restores a snapshot. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void {
    restoreSnapshot(this.model, this.#optimizer, tensors);
    this.#optimizer.steps = step;
    const saved = [...tensors].filter(([name]) => name.startsWith(PREFIX));
    const gates = saved.map(([name, { data }]) => [name.slice(PREFIX.length), Float64Array.from(data)]);
    this.#options.gates.restore({ updates: step, tensors: Object.fromEntries(gates) });
  }

  /** Frees all memory except that of the model, so that it can be read; no step may follow. */
  freeTraining(): void {
    this.#trainStep.dispose();
    this.#optimizer.dispose();
    this.model.gpu.trim();
  }

  /** Frees the memory of model and optimizer. */
  dispose(): void {
    this.model.dispose();
    this.freeTraining();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Sums of the gates' gradients over micro-batches, by group; those of closed gates are 0. */
function sumGradients(
  parts: readonly ReadonlyMap<string, Float32Array>[],
  groups: readonly UnitGroup[],
  { indices }: ActiveUnits,
): Map<string, Float64Array> {
  return new Map(groups.map(({ name, units }) => {
    const sum = new Float64Array(units);
    const active = indices.get(name)!;
    for (const part of parts) {
      const gradient = part.get(name)!;
      for (let i = 0; i < active.length; i++) sum[active[i]!]! += gradient[i]!;
    }
    return [name, sum];
  }));
}

/** Replaces the elements of arrays by their sums over all processes. */
async function sumOverProcesses(comm: Communicator, arrays: readonly Float64Array[]): Promise<void> {
  const all = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    all.set(array, start);
    start += array.length;
  }
  await comm.allReduce(all, "sum");
  start = 0;
  for (const array of arrays) {
    array.set(all.subarray(start, start + array.length));
    start += array.length;
  }
}

/** Metrics of a step: shares removed and their targets, Lagrange multipliers, penalty. */
function describe({ constraints, penalty }: GateGradients): Required<Pick<StepRecord, "metrics" | "shown">> {
  const metrics: Record<string, number> = { penalty };
  const shown: Record<string, string> = {};
  for (const { quantity, sparsity, target, lambda: [first, second] } of constraints) {
    metrics[`removed.${quantity}`] = sparsity;
    metrics[`target.${quantity}`] = target;
    metrics[`lambda1.${quantity}`] = first;
    metrics[`lambda2.${quantity}`] = second;
    const percent = (removed: number) => (100 * (1 - removed)).toFixed(1);
    const name = constraints.length > 1 ? `${quantity} kept` : "kept";
    shown[name] = `${percent(sparsity)} % (target ${percent(target)} %)`;
  }
  return { metrics, shown };
}
