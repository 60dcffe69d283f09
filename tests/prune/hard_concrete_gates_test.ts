import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type ConstraintOptions, constraintsOf } from "../../prune/constraints.ts";
import { HardConcreteGates, type HardConcreteGatesOptions } from "../../prune/hard_concrete_gates.ts";
import { randomNd } from "../oracle/nd.ts";
import { configOf } from "./configs.ts";

const config = configOf("tiny-base");

function trainerOf(
  options: ConstraintOptions,
  more: Partial<HardConcreteGatesOptions> = {},
): HardConcreteGates {
  const { kinds } = options;
  const constraints = constraintsOf(config, options);
  return new HardConcreteGates({
    config,
    constraints,
    seed: 1,
    warmup: 500,
    ...(kinds && { kinds }),
    ...more,
  });
}

/** Gradients of a task loss, in place of a model: dL/dz = −importance of the unit. */
function taskGradients(trainer: HardConcreteGates): Map<string, Float64Array> {
  return new Map(trainer.groups.map(({ name, units }, g) => {
    return [name, randomNd([units], 50 + g).data.map((importance) => -1e-3 * Math.abs(importance))];
  }));
}

function run(trainer: HardConcreteGates, from: number, to: number, steps = Infinity): void {
  const dz = taskGradients(trainer);
  for (let step = from; step < to; step++) {
    const decay = Math.min(1, 2 * (1 - step / steps));
    const gradients = trainer.differentiate(trainer.sample(step), step, dz);
    trainer.update(gradients, { rate: 0.02 * decay, lambdaRate: 2 * decay });
  }
}

for (
  const options of [
    { method: "size", target: 0.5 },
    { method: "mac", target: 0.3 },
    { method: "mac", target: 0.4, kinds: ["heads", "ffn"] },
    { method: "sep-size", target: 0.4, targetConv: 0.6 },
  ] satisfies ConstraintOptions[]
) {
  Deno.test(`expected sparsity comes to the target: ${Object.values(options).join(" ")}`, () => {
    const trainer = trainerOf(options);
    const gap = () =>
      Math.max(
        ...trainer.constraints.map(({ cost, target }) =>
          Math.abs(cost.removed(trainer.expectedCounts()) - target)
        ),
      );
    assertAlmostEquals(
      Math.max(...trainer.constraints.map(({ cost }) => cost.removed(trainer.expectedCounts()))),
      0,
      0.01,
    );
    run(trainer, 0, 1000, 1000);
    assert(gap() < 5e-3, `${gap()} from the target`);
    const units = trainer.expectedCounts();
    if (!trainer.groups.some(({ kind }) => kind === "conv")) assertEquals(units.conv, config.conv_dim);
  });
}

Deno.test("gradients are those of task and penalty", () => {
  const trainer = trainerOf({ method: "sep-size", target: 0.4, targetConv: 0.6 }, { warmup: 10 });
  run(trainer, 0, 4);
  const dz = taskGradients(trainer);
  const noise = new Map(
    trainer.groups.map(({ name, units }) => [name, randomNd([units], 9).data.map(Math.atan)]),
  );
  const u = new Map([...noise].map(([name, x]) => [name, x.map((x) => 0.5 + x / 4)]));
  const value = () => {
    const samples = trainer.sample(4, u);
    const { penalty } = trainer.differentiate(samples, 4, dz);
    return [...samples].reduce((sum, [name, { z }]) => {
      return sum + z.reduce((sum, z, i) => sum + z * dz.get(name)![i]!, 0);
    }, penalty);
  };
  const gradients = trainer.differentiate(trainer.sample(4, u), 4, dz);
  const step = 1e-5;
  const slope = (array: Float64Array, i: number) => {
    const here = array[i]!;
    const [above, below] = [step, -step].map((by) => {
      array[i] = here + by;
      return value();
    });
    array[i] = here;
    return (above! - below!) / (2 * step);
  };
  let squares = 0;
  for (const { name } of trainer.groups) {
    const gradient = gradients.logAlpha.get(name)!;
    for (const i of [0, gradient.length - 1]) {
      assertAlmostEquals(gradient[i]!, slope(trainer.logAlpha.get(name)!, i), 1e-8, name);
    }
    for (const g of gradient) squares += g * g;
  }
  gradients.lambda.forEach((g, i) => {
    assertAlmostEquals(g, slope(trainer.lambda, i), 1e-8);
    squares += g * g;
  });
  assertAlmostEquals(gradients.squares, squares, 1e-12);
  assertEquals(gradients.constraints.map(({ quantity }) => quantity), ["conv", "transformer"]);
  assertAlmostEquals(gradients.constraints[0]!.target, 0.24, 1e-15);
});

Deno.test("a run that was stopped and resumed is bit-equal to one that was not", () => {
  const options = { method: "mac", target: 0.5 } as const;
  const whole = trainerOf(options);
  run(whole, 0, 20);
  const first = trainerOf(options);
  run(first, 0, 9);
  const saved = first.state();
  run(first, 9, 11);
  const second = trainerOf(options, { seed: 1 });
  second.restore(saved);
  run(second, 9, 20);
  assertEquals(second.state(), whole.state());
  assertEquals(whole.state().updates, 20);
  assertNotEquals(first.state(), saved); // a state is a copy

  const other = trainerOf({ method: "mac", target: 0.2, kinds: ["ffn"] });
  assertThrows(
    () => whole.restore(other.state()),
    TypeError,
    "log_alpha.conv.0 must have 24 elements: it is missing",
  );
  const { updates, tensors } = whole.state();
  const wrong = { updates, tensors: { ...tensors, lambda: new Float64Array(4) } };
  assertThrows(() => whole.restore(wrong), TypeError, "lambda must have 2 elements: 4");
});

Deno.test("samples are those of seed and step; evaluation gates have no noise", () => {
  const trainer = trainerOf({ method: "mac", target: 0.5 });
  const z = (t: HardConcreteGates, step: number) => [...t.sample(step).get("ffn.0")!.z];
  assertEquals(z(trainer, 3), z(trainerOf({ method: "size", target: 0.1 }), 3));
  assertNotEquals(z(trainer, 3), z(trainer, 4));
  assertNotEquals(z(trainer, 3), z(trainerOf({ method: "mac", target: 0.5 }, { seed: 2 }), 3));
  const gates = trainer.deterministicGates().get("ffn.0")!;
  assertEquals(gates.filter((z) => z === 0).length, 1); // 256·(1 − 0.998) rounds to 1
  assertAlmostEquals(Math.max(...gates), 0.996, 1e-3);
});
