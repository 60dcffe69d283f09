import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { scheduleOf } from "../../train/schedule.ts";

const rates = (options: Parameters<typeof scheduleOf>[0]) =>
  Array.from({ length: options.steps }, (_, step) => scheduleOf(options)(step));

Deno.test("the linear schedule rises to 1 and falls towards 0", () => {
  assertEquals(rates({ kind: "linear", steps: 7, warmup: 2 }), [0.5, 1, 1, 0.8, 0.6, 0.4, 0.2]);
  assertEquals(rates({ kind: "linear", steps: 2 }), [1, 0.5]);
});

Deno.test("the constant schedule stays after the warm-up", () => {
  assertEquals(rates({ kind: "constant", steps: 5, warmup: 4 }), [0.25, 0.5, 0.75, 1, 1]);
});

Deno.test("the tri-stage schedule rises, holds, and falls to its floor by one factor a step", () => {
  const found = rates({ kind: "tri-stage", steps: 100, warmup: 10 });
  assertEquals([found[0], found[9], found[10], found[49]], [0.1, 1, 1, 1]);
  assertAlmostEquals(found[99]!, 0.05, 1e-12);
  for (let step = 50; step < 99; step++) {
    assertAlmostEquals(found[step + 1]! / found[step]!, 0.05 ** (1 / 50), 1e-12);
  }
  assertAlmostEquals(rates({ kind: "tri-stage", steps: 8, hold: 0.5, floor: 0.5 }).at(-1)!, 0.5, 1e-12);
});

Deno.test("every schedule stays within (0, 1], also in a run of warm-up only, or after its last step", () => {
  for (const kind of ["linear", "constant", "tri-stage"] as const) {
    for (const options of [{ steps: 1 }, { steps: 3, warmup: 3 }, { steps: 4, warmup: 1, hold: 1 }]) {
      const rate = scheduleOf({ kind, ...options });
      for (let step = 0; step < 6; step++) {
        if (options.warmup === options.steps && step >= options.steps) continue;
        assert(
          rate(step) > 0 && rate(step) <= 1,
          `${kind} ${JSON.stringify(options)} ${step}: ${rate(step)}`,
        );
      }
    }
  }
});

Deno.test("a schedule refuses values out of range", () => {
  const fails = (options: Partial<Parameters<typeof scheduleOf>[0]>, message: string) =>
    assertThrows(() => scheduleOf({ kind: "linear", steps: 10, ...options }), RangeError, message);
  fails({ steps: 0 }, "steps must be a whole number from 1: found 0");
  fails({ warmup: 11 }, "warmup must be a whole number up to the 10 steps: found 11");
  fails({ warmup: 0.1 }, "warmup must be a whole number up to the 10 steps: found 0.1");
  fails({ hold: 2 }, "hold must be a share from 0 to 1: found 2");
  fails({ floor: 0 }, "floor must be above 0 and at most 1: found 0");
});
