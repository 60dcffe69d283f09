// Every number option of the program has bounds, and a value beyond them is refused in one line.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commands } from "../../cli/main.ts";
import type { NumberOption } from "../../cli/options.ts";
import { run } from "./run.ts";

const numbers = commands.flatMap(({ name: command, options }) =>
  Object.entries(options).flatMap(([name, option]) =>
    option.type === "number" || option.type === "integer" ? [{ command, name, option }] : []
  )
);

Deno.test("every number option declares a smallest and a largest value, and its default lies between them", () => {
  assert(numbers.length > 30, `${numbers.length}`);
  for (
    const { command, name, option } of numbers as { command: string; name: string; option: NumberOption }[]
  ) {
    const { min, max, default: value = min } = option;
    const where = `${command} --${name}`;
    assert(Number.isFinite(min) && Number.isFinite(max), where);
    assert(min! <= value! && value! <= max!, where);
  }
});

Deno.test("absurd values are refused in one line", async () => {
  for (
    const [name, value, rule] of [
      ["steps", "1e15", "must be at most 100000000"],
      ["finetune-steps", "1e9", "must be at most 100000000"],
      ["eval-every", "1e9", "must be at most 100000000"],
      ["round-to", "1000000", "must be at most 1024"],
      ["grad-accum-steps", "1000", "must be at most 256"],
      ["batch-seconds", "1e6", "must be at most 36000"],
      ["join", "1e9", "must be at most 36000"],
      ["lr", "1e300", "must be at most 1e+38"],
      ["weight-decay", "1e9", "must be at most 1000"],
      ["round-to", "0", "must be at least 1"],
    ] as const
  ) {
    const { status, out, err } = await run("prune", `--${name}`, value, "--dry-run");
    assertEquals([status, out.length, err.length], [2, 0, 1], name);
    assertStringIncludes(err[0]!, `--${name} ${rule}: got ${value}`);
  }
});
