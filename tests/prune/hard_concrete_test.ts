import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { uniformAt } from "../../random/philox.ts";
import {
  BETA,
  dExpectedL0,
  drawGateNoise,
  EPSILON,
  EVALUATION_SCALE,
  evaluationCount,
  evaluationGates,
  expectedOpen,
  fullProbability,
  initialLogAlpha,
  keptGate,
  openProbability,
  sampleGates,
  STRETCH,
} from "../../prune/hard_concrete.ts";
import { Fixtures } from "../fixtures.ts";
import { assertClose } from "../kernels/check_op.ts";

/** The fixtures are float32 roundings of float64 results. */
const bound = { rtol: 1e-7, atol: 0 };

Deno.test("hard_concrete.safetensors holds", () => {
  const file = new Fixtures("hard_concrete.safetensors");
  const { metadata } = file;
  assertAlmostEquals(BETA, Number(metadata["beta"]), 1e-15);
  assertEquals(STRETCH, [Number(metadata["limit_l"]), Number(metadata["limit_r"])]);
  assertEquals(EPSILON, Number(metadata["eps"]));
  assertEquals(EVALUATION_SCALE, Number(metadata["eval_scale"]));
  // p(a) = σ(a + l0_bias) is a half at a = −l0_bias.
  assertAlmostEquals(openProbability(-Number(metadata["l0_bias"])), 0.5, 1e-15);

  const a = file.nd("log_alpha").data;
  const weight = file.nd("weight").data;
  const { z, slope } = sampleGates(a, file.nd("u").data);
  assertClose("sample", z, file.nd("sample").data, bound);
  const weighted = slope.map((dz, i) => weight[i]! * dz);
  assertClose("dz/da", weighted, file.nd("grad_log_alpha_of_weighted_sum").data, bound);
  assertClose("p", a.map(openProbability), file.nd("prob_nonzero").data, bound);
  assertClose("dp/da", a.map(dExpectedL0), file.nd("grad_log_alpha_of_l0").data, bound);
  assertClose("expected L0", [expectedOpen(a)], file.nd("expected_l0").data, bound);
  assertEquals([a.length - evaluationCount(a)], file.integers("eval_num_zeros"));
  assertClose("evaluation", evaluationGates(a), file.nd("eval_mask").data, bound);
  assertEquals(file.unread(), []);
});

Deno.test("gates have the values that METHOD.md names", () => {
  const open = Math.log(99);
  assertAlmostEquals(openProbability(open), 0.99796, 5e-6);
  assertAlmostEquals(fullProbability(open), 0.95242, 5e-6);
  assertAlmostEquals(keptGate(open), 0.99599, 5e-6);
  assertAlmostEquals(openProbability(0), 0.83182, 5e-6);
  assertAlmostEquals(fullProbability(0), 0.16818, 5e-6);
  assertAlmostEquals(keptGate(0), 0.5, 1e-15);
});

Deno.test("the share of samples that are open, or fully so, is the probability", () => {
  for (const a of [-2, 0, 1.5]) {
    const u = drawGateNoise(20000, { seed: 4, purpose: "test", step: 0 });
    const { z } = sampleGates(u.map(() => a), u);
    const share = (f: (z: number) => boolean) => z.filter(f).length / z.length;
    assertAlmostEquals(share((z) => z > 0), openProbability(a), 0.01);
    assertAlmostEquals(share((z) => z === 1), fullProbability(a), 0.01);
    assert(z.every((z) => z >= 0 && z <= 1));
  }
});

Deno.test("dz/da is the slope of z, and 0 where it is clamped", () => {
  const a = Float64Array.from({ length: 401 }, (_, i) => (i - 200) / 25);
  const u = drawGateNoise(401, { seed: 5, purpose: "test", step: 1 });
  const { z, slope } = sampleGates(a, u);
  const step = 1e-6;
  const above = sampleGates(a.map((a) => a + step), u).z;
  const below = sampleGates(a.map((a) => a - step), u).z;
  z.forEach((z, i) => {
    if (z === 0 || z === 1) assertEquals(slope[i], 0);
    else assertAlmostEquals(slope[i]!, (above[i]! - below[i]!) / (2 * step), 1e-6);
  });
  const extreme = sampleGates([-800, 800, 0], [0.5, 0.5, 0.5]);
  assertEquals([...extreme.z.slice(0, 2)], [0, 1]);
  assertAlmostEquals(extreme.z[2]!, 0.5, 1e-15);
});

Deno.test("the noise is Philox's, inside (ε, 1 − ε), and differs between steps", () => {
  const stream = { seed: 3, purpose: "gates conv.0", step: 7 };
  const u = drawGateNoise(1001, stream);
  u.forEach((u, i) => assertEquals(u, EPSILON + (1 - 2 * EPSILON) * uniformAt(i, stream)));
  assert(u.every((u) => u >= EPSILON && u < 1 - EPSILON));
  assert(drawGateNoise(4, { ...stream, step: 8 })[0] !== u[0]);
});

Deno.test("initial log-alphas are normal around ln(0.99/0.01)", () => {
  const a = initialLogAlpha(20000, { seed: 1, purpose: "log-alpha ffn.0", step: 0 });
  const mean = a.reduce((sum, a) => sum + a, 0) / a.length;
  const variance = a.reduce((sum, a) => sum + (a - mean) ** 2, 0) / a.length;
  assertAlmostEquals(mean, Math.log(99), 3e-4);
  assertAlmostEquals(Math.sqrt(variance), 0.01, 2e-4);
  const beyond = a.filter((a) => Math.abs(a - mean) > 0.0196).length / a.length;
  assertAlmostEquals(beyond, 0.05, 5e-3);
  assertAlmostEquals(expectedOpen(a) / a.length, 0.99796, 1e-5);
  const half = initialLogAlpha(3, { seed: 1, purpose: "x", step: 0 }, { drop: 0.5, deviation: 0 });
  assertEquals([...half], [0, 0, 0]);
});

Deno.test("evaluation closes the smallest log-alphas and rounds halves to even", () => {
  assertEquals(evaluationCount([100, 100]), 2);
  assertEquals(evaluationCount([-100, -100]), 0);
  const half = BETA * Math.log(-STRETCH[0] / STRETCH[1]);
  assertEquals(openProbability(half), 0.5);
  assertEquals(evaluationCount([half, 100]), 2); // round(0.5) is 0
  assertEquals(evaluationCount([half, -100]), 0); // round(1.5) is 2
  assertEquals([...evaluationGates([5, -3, 5, -9, -3], 3)].map((z) => z > 0), [
    true,
    true,
    true,
    false,
    false,
  ]);
  assertEquals([...evaluationGates([5, 5], 0)], [0, 0]);
  // A gate that is kept stays open in float32.
  assert(Math.fround(evaluationGates([-1000], 1)[0]!) > 0);
});
