import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { unitCounts } from "../../model/costs.ts";
import { chooseByGates, chooseUniform, keptCounts } from "../../prune/choose.ts";
import { type Constraint, type ConstraintOptions, constraintsOf } from "../../prune/constraints.ts";
import { type UnitGroup, unitGroups } from "../../prune/groups.ts";
import { evaluationCount, keptGate } from "../../prune/hard_concrete.ts";
import { configOf, randomLogAlpha } from "./configs.ts";

/** The cheapest single step that a constraint's units allow: a unit, or as many as widths are rounded to. */
function cheapest(
  { cost, kinds }: Constraint,
  choice: ReturnType<typeof chooseByGates>,
  roundTo: number,
): number {
  const groups = unitGroups(cost.config, kinds);
  const slopes = cost.slopes(groups, keptCounts(cost.config, choice));
  return Math.min(...groups.map(({ kind }, g) => slopes[g]! * (kind === "heads" ? 1 : roundTo)));
}

const CASES: ConstraintOptions[] = [
  ...[0.1, 0.3, 0.5, 0.7].map((target) => ({ method: "mac", target }) as const),
  { method: "size", target: 0.5 },
  { method: "sep-size", target: 0.5, targetConv: 0.3 },
  { method: "sep-size", target: 0.3, targetConv: 0.9 },
  { method: "mac", target: 0.3, kinds: ["heads", "ffn"] },
  { method: "mac", target: 0.15, kinds: ["conv"] },
];

for (const name of ["tiny-base", "tiny-large", "wav2vec2-base", "wavlm-base"]) {
  for (const roundTo of [1, 8]) {
    Deno.test(`${name}: the choice comes within a unit's cost of the target, widths rounded to ${roundTo}`, () => {
      const config = configOf(name);
      const cases = name.startsWith("tiny") ? CASES : CASES.filter((_, i) => i % 3 === 2);
      cases.forEach((options, seed) => {
        const groups = unitGroups(config, options.kinds);
        const constraints = constraintsOf(config, options);
        const logAlpha = randomLogAlpha(groups, seed + 1);
        const choices = {
          gates: chooseByGates(logAlpha, { config, constraints, roundTo }),
          uniform: chooseUniform(logAlpha, { config, constraints, roundTo }),
        };
        for (const [rule, choice] of Object.entries(choices)) {
          const what = `${rule} ${Object.values(options).join(" ")}`;
          const units = keptCounts(config, choice);
          for (const constraint of constraints) {
            const { cost, target } = constraint;
            const off = Math.abs(cost.of(units) - (1 - target) * cost.dense);
            const allowed = cheapest(constraint, choice, roundTo);
            assert(off <= allowed, `${what}: ${cost.quantity} off by ${off}, allowed ${allowed}`);
          }
          checkUnits(groups, logAlpha, choice, roundTo);
        }
      });
    });
  }
}

/** Each group keeps its units of the highest scores, and a width that is allowed. */
function checkUnits(
  groups: readonly UnitGroup[],
  scores: ReadonlyMap<string, Float64Array>,
  choice: ReturnType<typeof chooseByGates>,
  roundTo: number,
): void {
  assertEquals([...choice.keys()], groups.map(({ name }) => name));
  for (const { name, kind, units, least } of groups) {
    const { indices } = choice.get(name)!;
    const score = scores.get(name)!;
    assert(indices.length >= least && indices.every((index, i) => index > (indices[i - 1] ?? -1)));
    const kept = new Set(indices);
    const worst = Math.min(...indices.map((i) => score[i]!));
    assert(score.every((a, i) => kept.has(i) || a <= worst), name);
    assert(kind === "heads" || indices.length % roundTo === 0 || indices.length === units, name);
  }
}

Deno.test("what the target leaves over is at most half of the cheapest unit's cost", () => {
  const config = configOf("wav2vec2-base");
  const groups = unitGroups(config);
  const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
  const [{ cost }] = constraints as [Constraint];
  const choice = chooseByGates(randomLogAlpha(groups, 3), { config, constraints });
  const units = keptCounts(config, choice);
  const cheapest = Math.min(...cost.slopes(groups, units));
  assert(Math.abs(cost.of(units) - cost.dense / 2) <= cheapest / 2);
});

Deno.test("where the gates meet the target, their choice stands", () => {
  const config = configOf("tiny-base");
  const groups = unitGroups(config);
  const logAlpha = randomLogAlpha(groups, 5, 0.5);
  const counts = new Map(groups.map(({ name, least }) => {
    return [name, Math.max(least, evaluationCount(logAlpha.get(name)!))];
  }));
  const [{ cost }] = constraintsOf(config, { method: "size", target: 0.5 }) as [Constraint];
  const { conv, heads, ffn } = unitCounts(config);
  const all = { conv: [...conv], heads: [...heads], ffn: [...ffn] };
  for (const { name, kind, layer } of groups) all[kind][layer] = counts.get(name)!;
  const constraints = [{ cost, target: cost.removed(all), kinds: ["conv", "heads", "ffn"] as const }];
  const choice = chooseByGates(logAlpha, { config, constraints });
  assertEquals(new Map([...choice].map(([name, { indices }]) => [name, indices.length])), counts);
  for (const [name, { indices, gates }] of choice) {
    assertEquals(gates, indices.map((i) => keptGate(logAlpha.get(name)![i]!)));
  }
});

Deno.test("a uniform choice keeps about the same share of every group, gates open", () => {
  const config = configOf("wav2vec2-base");
  const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
  const choice = chooseUniform(randomLogAlpha(unitGroups(config), 2), { config, constraints });
  const groups = unitGroups(config).filter(({ kind }) => kind !== "heads");
  const shares = groups.map(({ name, units }) => choice.get(name)!.indices.length / units);
  for (const share of shares) assertAlmostEquals(share, shares[0]!, 0.01);
  assert([...choice.values()].every(({ gates }) => gates.every((gate) => gate === 1)));
});

Deno.test("convolutions keep a channel where the gates close them all", () => {
  const config = configOf("tiny-large");
  const groups = unitGroups(config);
  const closed = new Map(groups.map(({ name, units }) => [name, new Float64Array(units).fill(-20)]));
  const [{ cost }] = constraintsOf(config, { method: "size", target: 0.5 }) as [Constraint];
  const fewest = { conv: config.conv_dim.map(() => 1), heads: [0, 0, 0, 0], ffn: [0, 0, 0, 0] };
  const constraints = [{ cost, target: cost.removed(fewest), kinds: ["conv", "heads", "ffn"] as const }];
  const choice = chooseByGates(closed, { config, constraints });
  assertEquals(keptCounts(config, choice), fewest);
  assertThrows(
    () => chooseByGates(closed, { config, constraints, roundTo: 0 }),
    RangeError,
    "from 1: found 0",
  );
});
