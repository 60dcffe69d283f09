import { assertAlmostEquals, assertEquals } from "@std/assert";
import { unitCounts } from "../../model/costs.ts";
import { UnitCost } from "../../prune/cost.ts";
import { UNIT_KINDS, unitGroups, withCounts } from "../../prune/groups.ts";
import { dExpectedL0, expectedOpen } from "../../prune/hard_concrete.ts";
import { penalties, penalty, risenShare } from "../../prune/lagrangian.ts";
import { Fixtures } from "../fixtures.ts";
import { assertClose } from "../kernels/check_op.ts";
import { byGroup, configOf } from "./configs.ts";

/** The fixtures are float32 roundings of float64 results. */
const bound = { rtol: 1e-7, atol: 0 };

for (const family of ["base", "large"]) {
  Deno.test(`lagrangian_${family}.safetensors holds`, () => {
    const file = new Fixtures(`lagrangian_${family}.safetensors`);
    const config = configOf(family);
    const groups = unitGroups(config);
    const logAlpha = byGroup(file, groups, "log_alpha.");
    const units = withCounts(
      unitCounts(config),
      groups,
      groups.map(({ name }) => expectedOpen(logAlpha.get(name)!)),
    );
    const cost = new UnitCost(config, "parameters", 0);
    const target = Number(file.metadata["target_sparsity"]);
    const lambda = [file.nd("lambda1").data[0]!, file.nd("lambda2").data[0]!];
    const found = penalties([{ cost, target, kinds: UNIT_KINDS }], { units, groups, lambda });
    const [{ sparsity }] = found.states as [typeof found.states[0] & object];
    const one = (name: string, value: number) => assertClose(name, [value], file.nd(name).data, bound);
    one("original_num_params", cost.dense);
    one("expected_num_params", cost.of(units));
    one("expected_sparsity", sparsity);
    one("loss", found.value);
    one("grad_lambda1", found.byLambda[0]!);
    one("grad_lambda2", found.byLambda[1]!);
    groups.forEach(({ name }, g) => {
      const gradient = logAlpha.get(name)!.map((a) => found.byCount[g]! * dExpectedL0(a));
      assertClose(`grad.${name}`, gradient, file.nd(`grad.${name}`).data, bound);
    });
    assertEquals(file.unread(), []);
  });
}

Deno.test("a penalty and its derivatives", () => {
  const found = penalty(0.1, 0.5, [1, 2]);
  assertAlmostEquals(found.value, -0.08, 1e-15);
  assertAlmostEquals(found.bySparsity, 1 - 1.6, 1e-15);
  assertAlmostEquals(found.byLambda[0], -0.4, 1e-15);
  assertAlmostEquals(found.byLambda[1], 0.16, 1e-15);
});

Deno.test("several constraints add up, each with its own target, risen alike", () => {
  const config = configOf("large");
  const groups = unitGroups(config);
  const units = withCounts(unitCounts(config), groups, groups.map(({ units }) => 0.7 * units));
  const constraints = (["conv", "transformer"] as const).map((quantity, i) => ({
    cost: new UnitCost(config, quantity, 0),
    target: [0.4, 0.6][i]!,
    kinds: UNIT_KINDS,
  }));
  const lambda = [0.3, 0.5, -0.2, 0.7];
  const both = penalties(constraints, { units, groups, lambda, risen: 0.5 });
  const apart = constraints.map((constraint, i) =>
    penalties([constraint], { units, groups, lambda: lambda.slice(2 * i, 2 * i + 2), risen: 0.5 })
  );
  assertEquals(both.states.map(({ target }) => target), [0.2, 0.3]);
  assertAlmostEquals(both.value, apart[0]!.value + apart[1]!.value, 1e-15);
  assertEquals([...both.byLambda], apart.flatMap(({ byLambda }) => [...byLambda]));
  // The last convolution's channels are in both: its own filters, and the projection.
  const last = groups.findIndex(({ name }) => name === "conv.6");
  both.byCount.forEach((slope, g) => {
    assertAlmostEquals(slope, apart[0]!.byCount[g]! + apart[1]!.byCount[g]!, 1e-15);
    const [inConv, inTransformer] = apart.map(({ byCount }) => byCount[g] !== 0);
    const { kind } = groups[g]!;
    assertEquals([inConv, inTransformer], [kind === "conv", kind !== "conv" || g === last], groups[g]!.name);
  });
});

Deno.test("the targets rise linearly", () => {
  assertEquals([0, 1, 5, 10, 11].map((step) => risenShare(step, 10)), [0, 0.1, 0.5, 1, 1]);
  assertEquals(risenShare(0, 0), 1);
  const quadratic = [0, 1, 5, 10, 11].map((step) => risenShare(step, 10, "quadratic"));
  quadratic.forEach((share, i) => assertAlmostEquals(share, [0, 0.19, 0.75, 1, 1][i]!, 1e-12));
});
