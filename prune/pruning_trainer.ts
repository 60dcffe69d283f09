import type { SpeechModel } from "../model/speech_model.ts";
import { type BatchScores, evaluateBatches, type EvaluateBatchesOptions } from "../train/evaluate.ts";
import { parameterGroups } from "../train/groups.ts";
import type { FinetuneTrainerOptions, StepRecord, Trainer, TrainerStep } from "../train/trainer.ts";
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
import { activeSubmodel, type OpenUnits, openUnits } from "./active_submodel.ts";

/** Options of {@linkcode PruningTrainer}. */
export interface PruningTrainerOptions extends FinetuneTrainerOptions {
  /** Gates and multipliers. */
  readonly gates: HardConcreteGates;
  /** Learning rate of the log-alphas. */
  readonly gateRate: number;
  /** Learning rate of the multipliers. */
  readonly lambdaRate: number;
  /** Steps of the run: over its last three tenths both rates fall, and the units come to rest. */
  readonly steps: number;
}

/** Share of the run behind which the gates' rates fall, and what is left of them at its end. */
const [REST, FLOOR] = [0.7, 0.1];
/** Name of a gate tensor in the state. */
const PREFIX = "gates.";

/**
 * Trains weights, gates and multipliers together. In a step the sampled gates go to the device, those that are closed
 * take no part, the gradients of the
 * gates and the norm of the weights' come back together, all are clipped by their joint norm, and the update of the
 * weights runs while the next step is being prepared.
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
  /** Step begun last; a step needs the gates that the one before leaves. */
  #last: Promise<StepRecord | null> = Promise.resolve(null);

  /** @param model What learns, the trainer's from now on. @param options Gates and rates. */
  constructor(model: SpeechModel, options: PruningTrainerOptions) {
    this.model = model;
    this.#options = options;
    this.#optimizer = new AdamW(parameterGroups(model, options));
    this.#trainStep = new TrainStep(model, this.#optimizer, options);
  }

  /** Takes a step after those begun before it. */
  step(batches: readonly MicroBatch[], options: TrainerStep): Promise<StepRecord> {
    const next = this.#last.then((before) => {
      return before && !isFiniteStep(before) ? before : this.#step(batches, options);
    });
    this.#last = next;
    return next;
  }

  async #step(batches: readonly MicroBatch[], options: TrainerStep): Promise<StepRecord> {
    const { seed, step, lrScale, maxGradNorm } = options;
    const { gates } = this.#options;
    const { gpu, config } = this.model;
    const samples = gates.sample(step);
    const values = new Map([...samples].map(([name, { z }]) => [name, z]));
    const open = openUnits(config, gates.groups, values);
    using device = new DeviceGates(gpu, open.config, open.groups, open.gates, { requiresGrad: true });
    this.#trainStep.accumulate(batches, {
      seed,
      step,
      gates: device.gates,
      view: (model) => activeSubmodel(model, gates.groups, open),
      sink: () => device.gradientSink(),
    });
    const [{ loss, gradNorm }, found] = await Promise.all([
      this.#trainStep.measure(),
      device.readGradients(),
    ]);
    const gradients = gates.differentiate(samples, step, addUp(found, gates.groups, open));
    const { norm, scale, weightsMaxNorm } = clipJointly(gradNorm, gradients.squares, maxGradNorm);
    const result = { loss, gradNorm: norm };
    if (isFiniteStep(result)) {
      const fall = this.#fall(step);
      const { gateRate, lambdaRate } = this.#options;
      gates.update(gradients, { rate: gateRate * fall, lambdaRate: lambdaRate * fall, scale });
      this.#trainStep.finish({ lrScale, maxGradNorm: weightsMaxNorm });
      gpu.flush();
    }
    return { ...result, ...describe(gradients) };
  }

  /** Factor of the gates' rates. */
  #fall(step: number): number {
    const { steps } = this.#options;
    const over = Math.max(0, step / steps - REST) / (1 - REST);
    return 1 - (1 - FLOOR) * Math.min(1, over);
  }

  /** Evaluates the model with the gates as surgery would fold them. */
  async evaluate(
    batches: AsyncIterable<MicroBatch>,
    options: EvaluateBatchesOptions,
  ): Promise<BatchScores> {
    const { gates } = this.#options;
    const { gpu, config } = this.model;
    using device = new DeviceGates(gpu, config, gates.groups, gates.deterministicGates());
    return await evaluateBatches(this.model, batches, { ...options, gates: device.gates });
  }

  /** Weights, averages, log-alphas and multipliers. */
  snapshot(): Map<string, StateSource> {
    const state = takeSnapshot(this.model, this.#optimizer);
    for (const [name, data] of Object.entries(this.#options.gates.state().tensors)) {
      const read = () => Promise.resolve(data as Float64Array<ArrayBuffer>);
      state.set(`${PREFIX}${name}`, { shape: [data.length], dtype: "F64", read });
    }
    return state;
  }

  /** Puts all of that back. */
  restore(tensors: ReadonlyMap<string, StateTensor>, step: number): void {
    restoreSnapshot(this.model, this.#optimizer, tensors);
    this.#optimizer.steps = step;
    const own = [...tensors].filter(([name]) => name.startsWith(PREFIX));
    const gates = own.map(([name, { data }]) => [name.slice(PREFIX.length), Float64Array.from(data)]);
    this.#options.gates.restore({ updates: step, tensors: Object.fromEntries(gates) });
  }

  /** Gives the memory of all but the model back, which is to be read then; no step may follow. */
  finish(): void {
    this.#trainStep.dispose();
    this.#optimizer.dispose();
    this.model.gpu.trim();
  }

  /** Gives the memory of model and optimizer back. */
  dispose(): void {
    this.model.dispose();
    this.finish();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Gradients of the micro-batches together, by group, those of closed gates being 0. */
function addUp(
  parts: readonly ReadonlyMap<string, Float32Array>[],
  groups: readonly UnitGroup[],
  { indices }: OpenUnits,
): Map<string, Float64Array> {
  return new Map(groups.map(({ name, units }) => {
    const sum = new Float64Array(units);
    for (const part of parts) indices.get(name)!.forEach((unit, i) => sum[unit]! += part.get(name)![i]!);
    return [name, sum];
  }));
}

/** What a step is logged and shown with: shares removed against their targets, multipliers, penalty. */
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
    shown[name] = `${percent(sparsity)} % (target ${percent(target)})`;
  }
  return { metrics, shown };
}
