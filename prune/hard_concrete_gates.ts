import type { ModelConfig } from "../model/config.ts";
import { type UnitCounts, unitCounts } from "../model/costs.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import type { Constraint } from "./constraints.ts";
import { UNIT_KINDS, type UnitGroup, unitGroups, type UnitKind, withCounts } from "./groups.ts";
import {
  dExpectedL0,
  drawGateNoise,
  evaluationGates,
  expectedOpen,
  type GateSample,
  initialLogAlpha,
  sampleGates,
} from "./hard_concrete.ts";
import { type ConstraintState, penalties, type Ramp, risenShare } from "./lagrangian.ts";

/** Options of {@linkcode HardConcreteGates}. */
export interface HardConcreteGatesOptions extends AdamOptions {
  /** Architecture of the model to prune. */
  readonly config: ModelConfig;
  /** Costs and their targets, see {@linkcode constraintsOf}. */
  readonly constraints: readonly Constraint[];
  /** Kinds of units that have gates; default: all. */
  readonly kinds?: readonly UnitKind[];
  /** Seed of the initial log-alphas and of every sample. */
  readonly seed: number;
  /** Steps over which the targets rise from 0; default: 0. */
  readonly warmup?: number;
  /** How they rise; default: "linear". */
  readonly ramp?: Ramp;
  /** Initial drop rate of every gate; default: 0.01. */
  readonly drop?: number;
  /** Standard deviation of the initial log-alphas; default: 0.01. */
  readonly deviation?: number;
}

/** The gates of a step by group. */
export type GateSamples = ReadonlyMap<string, GateSample>;

/** Gradients of a step. */
export interface GateGradients {
  /** By log-alpha, per group. */
  readonly logAlpha: ReadonlyMap<string, Float64Array>;
  /** By λ1 and λ2 of every constraint. */
  readonly lambda: Float64Array;
  /** Sum of squares of all these gradients, for the joint norm with those of the weights. */
  readonly squares: number;
  /** Σ λ1·(s − t) + λ2·(s − t)², the penalty of the constraints. */
  readonly penalty: number;
  /** One per constraint. */
  readonly constraints: readonly ConstraintState[];
}

/** State of {@linkcode HardConcreteGates}: with the same options, training resumes from it with the same bits. */
export interface HardConcreteGatesState {
  /** Updates done. */
  readonly updates: number;
  /** `log_alpha.conv.0`, `lambda`, each also with `.exp_avg` and `.exp_avg_sq`. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
}

/** Options of {@linkcode HardConcreteGates.update}. */
export interface GateRates {
  /** Learning rate of the log-alphas; default: 0.02. */
  readonly rate?: number;
  /** Learning rate of the Lagrange multipliers, which ascend; default: `rate`. */
  readonly lambdaRate?: number;
  /** Factor of the gradients, from gradient clipping; default: 1. */
  readonly scale?: number;
}

/**
 * Log-alphas and Lagrange multipliers on the host, in float64. A step: {@linkcode HardConcreteGates.sample}, the model's
 * forward and backward passes with these gates, {@linkcode HardConcreteGates.differentiate} with the gradients of the gates,
 * gradient clipping with `squares` and the weights' gradients, {@linkcode HardConcreteGates.update}.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { HardConcreteGates } from "./hard_concrete_gates.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
 * const gates = new HardConcreteGates({ config, constraints, seed: 1, warmup: 100 });
 * for (let step = 0; step < 3; step++) {
 *   const samples = gates.sample(step);
 *   const gradients = gates.differentiate(samples, step, new Map()); // without a task loss: dL/dz = 0
 *   gates.update(gradients, { rate: 0.02 });
 * }
 * ```
 */
export class HardConcreteGates {
  /** Groups that have gates. */
  readonly groups: readonly UnitGroup[];
  /** Costs and their targets. */
  readonly constraints: readonly Constraint[];
  readonly #options: HardConcreteGatesOptions;
  readonly #gates = new Map<string, Adam>();
  readonly #lambda: Adam;

  /** Starts with nearly open gates, and Lagrange multipliers of 0. */
  constructor(options: HardConcreteGatesOptions) {
    const { config, constraints, kinds = UNIT_KINDS, seed, drop = 0.01, deviation = 0.01 } = options;
    this.#options = options;
    this.constraints = constraints;
    this.groups = unitGroups(config, kinds);
    for (const { name, units } of this.groups) {
      const stream = { seed, purpose: `log-alpha ${name}`, step: 0 };
      this.#gates.set(name, new Adam(initialLogAlpha(units, stream, { drop, deviation }), options));
    }
    this.#lambda = new Adam(new Float64Array(2 * constraints.length), options);
  }

  /** Log-alphas by group. */
  get logAlpha(): ReadonlyMap<string, Float64Array> {
    return new Map([...this.#gates].map(([name, { values }]) => [name, values]));
  }

  /** λ1 and λ2 of every constraint. */
  get lambda(): Float64Array {
    return this.#lambda.values;
  }

  /**
   * Training gates of a step, random by seed, group and step.
   *
   * @param step Index of the step, from 0.
   * @param noise Noise u by group; default: random.
   */
  sample(step: number, noise?: ReadonlyMap<string, ArrayLike<number>>): GateSamples {
    const { seed } = this.#options;
    return new Map(
      [...this.#gates].map(([name, { values }]) => {
        const u = noise?.get(name) ?? drawGateNoise(values.length, { seed, purpose: `gates ${name}`, step });
        return [name, sampleGates(values, u)];
      }),
    );
  }

  /** Deterministic gates by group: without noise, with exact zeros. */
  deterministicGates(): ReadonlyMap<string, Float64Array> {
    return new Map([...this.#gates].map(([name, { values }]) => [name, evaluationGates(values)]));
  }

  /** Expected counts of units: Σ P(z > 0) of groups with gates. */
  expectedCounts(): UnitCounts {
    const counts = this.groups.map(({ name }) => expectedOpen(this.#gates.get(name)!.values));
    return withCounts(unitCounts(this.#options.config), this.groups, counts);
  }

  /**
   * Gradients of task loss and penalty by log-alphas and Lagrange multipliers.
   *
   * @param samples Gates that the task loss was computed with.
   * @param step Index of the step, from 0, for the warm-up of the targets.
   * @param dz Gradient of the task loss by the gates of each group; default: 0.
   */
  differentiate(
    samples: GateSamples,
    step: number,
    dz: ReadonlyMap<string, ArrayLike<number>>,
  ): GateGradients {
    const { value, byCount, byLambda, states } = penalties(this.constraints, {
      units: this.expectedCounts(),
      groups: this.groups,
      lambda: this.lambda,
      risen: risenShare(step, this.#options.warmup ?? 0, this.#options.ramp),
    });
    let squares = sumOfSquares(byLambda);
    const logAlpha = new Map(this.groups.map(({ name }, g) => {
      const { slope } = samples.get(name)!;
      const dL = dz.get(name);
      const { values } = this.#gates.get(name)!;
      const gradient = new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) {
        gradient[i] = (dL ? dL[i]! * slope[i]! : 0) + byCount[g]! * dExpectedL0(values[i]!);
      }
      squares += sumOfSquares(gradient);
      return [name, gradient];
    }));
    return { logAlpha, lambda: byLambda, squares, penalty: value, constraints: states };
  }

  /** Descends with the log-alphas and ascends with the Lagrange multipliers. */
  update({ logAlpha, lambda }: GateGradients, rates: GateRates = {}): void {
    const { rate = 0.02, lambdaRate = rate, scale = 1 } = rates;
    for (const [name, gradient] of logAlpha) this.#gates.get(name)!.update(gradient, rate, scale);
    this.#lambda.update(lambda, -lambdaRate, scale);
  }

  /** A copy of the state. */
  state(): HardConcreteGatesState {
    const tensors: Record<string, Float64Array> = {};
    for (const [name, array] of this.#arrays()) tensors[name] = array.slice();
    return { updates: this.#lambda.updates, tensors };
  }

  /**
   * Restores a state.
   *
   * @throws {TypeError} If it is of another model or other constraints.
   */
  restore({ updates, tensors }: HardConcreteGatesState): void {
    for (const [name, array] of this.#arrays()) {
      const saved = tensors[name];
      if (saved?.length !== array.length) {
        const found = saved ? `${saved.length}` : "it is missing";
        throw new TypeError(
          `Cannot resume the gates as ${name} must have ${array.length} elements: ${found}`,
        );
      }
    }
    for (const [name, array] of this.#arrays()) array.set(tensors[name]!);
    for (const adam of [...this.#gates.values(), this.#lambda]) adam.updates = updates;
  }

  #arrays(): [string, Float64Array][] {
    const named: [string, Adam][] = [...this.#gates].map(([name, adam]) => [`log_alpha.${name}`, adam]);
    return [...named, ["lambda", this.#lambda] as const].flatMap(([name, adam]) => [
      [name, adam.values],
      [`${name}.exp_avg`, adam.expAvg],
      [`${name}.exp_avg_sq`, adam.expAvgSq],
    ]);
  }
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
