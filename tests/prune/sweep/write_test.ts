import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { sweepCsv } from "../../../prune/sweep/csv.ts";
import { groupsOf } from "../../../prune/sweep/groups.ts";
import { plainTable, sweepTable } from "../../../prune/sweep/table.ts";
import { writeSweep } from "../../../prune/sweep/write.ts";
import { withFolder } from "../../data/folder.ts";
import { madeUpSweep } from "./records.ts";

Deno.test("runs that differ in their seed are a group, with mean and spread", () => {
  const record = madeUpSweep();
  const groups = groupsOf(record);
  assertEquals(groups.map(({ method, target, seeds }) => [method, target, seeds]), [
    ["none", null, [1, 2]],
    ["mac", 0.3, [1, 2]],
    ["mac", 0.5, [1, 2]],
    ["uniform", 0.5, [1]],
  ]);
  const rates = record.runs.filter(({ name }) => name.startsWith("mac-0.5")).map(({ result }) =>
    result!.models.at(-1)!.wer!.value
  );
  const { error, shares, fromDense, fromControl, fromFirst } = groups[2]!;
  assertAlmostEquals(error.mean, (rates[0]! + rates[1]!) / 2, 1e-12);
  assertAlmostEquals(error.deviation, Math.abs(rates[0]! - rates[1]!) / Math.SQRT2, 1e-12);
  assertEquals([error.low, error.high], rates.toSorted((a, b) => a - b));
  assertAlmostEquals(shares.macs, 0.5, 1e-12);
  assertAlmostEquals(fromDense.value, error.mean - record.common!.dense.wer!.value, 1e-12);
  assertAlmostEquals(fromControl!.value, error.mean - groups[0]!.error.mean, 1e-12);
  assertEquals([groups[0]!.fromControl, fromFirst], [null, null]);
  assertAlmostEquals(groups[3]!.fromFirst!.value, groups[3]!.error.mean - error.mean, 1e-12);
});

Deno.test("groups of other options are compared with the control of the same options", () => {
  const record = madeUpSweep();
  const withRate = (lr: number) =>
    record.runs.map((run) => ({ ...run, name: `${run.name}-lr-${lr}`, options: { lr } }));
  const [control] = groupsOf(record);
  const runs = [...withRate(1), ...withRate(2).filter(({ method }) => method !== "none")];
  const groups = groupsOf({ ...record, runs });
  for (const { method, options, error, fromControl } of groups) {
    const has = method !== "none" && options["lr"] === 1;
    assertEquals(fromControl !== null, has);
    if (has) assertAlmostEquals(fromControl!.value, error.mean - control!.error.mean, 1e-12);
  }
});

Deno.test("a sweep is written as page, tables and plots, for both tasks, without results too", async () => {
  for (const task of ["asr", "slu"] as const) {
    const record = madeUpSweep(task);
    await withFolder({}, async (dir) => {
      await writeSweep(dir, record);
      const [page, text] = await Promise.all(
        ["sweep.html", "sweep.md"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
      );
      assert(!/<script|src=|@import|url\((?!#)/.test(page!), "the page loads nothing");
      assertEquals(page!.match(/<svg/g)!.length, 3);
      assertStringIncludes(page!, "with &lt;this&gt;");
      assertStringIncludes(page!, task === "asr" ? "WER" : "wrong intents");
      assertStringIncludes(text!, "uniform-0.5-seed-2 failed: Cannot work");
      const plots = await Array.fromAsync(Deno.readDir(`${dir}/plots`));
      assertEquals(plots.map(({ name }) => name).sort(), ["macs.svg", "parameters.svg", "time.svg"]);
      const again = new Map(
        await Promise.all(
          plots.map(async ({ name }) => [name, await Deno.readTextFile(`${dir}/plots/${name}`)] as const),
        ),
      );
      await writeSweep(dir, record);
      for (const [name, svg] of again) assertEquals(await Deno.readTextFile(`${dir}/plots/${name}`), svg);
      const runs = record.runs.map((run) => ({ ...run, state: "unfinished" as const, result: null }));
      await writeSweep(dir, { ...record, common: null, date: "", runs });
      assertStringIncludes(
        await Deno.readTextFile(`${dir}/sweep.md`),
        "- not finished: none-seed-1, mac-0.3-seed-1, ",
      );
    });
  }
});

Deno.test("the table has a row for the dense model and for each group", () => {
  const record = madeUpSweep();
  const lines = plainTable(sweepTable(record, groupsOf(record))).split("\n");
  assertEquals(lines.map((line) => line.split(/\s{2,}/)[0]), [
    "method",
    lines[1]!.split("  ")[0],
    "dense",
    "control",
    "mac",
    "mac",
    "uniform",
  ]);
  assertStringIncludes(lines[0]!, "vs mac");
  assertStringIncludes(lines[6]!, "50 %");
});

Deno.test("the values of runs are a line each, quoted where they must be", () => {
  const [head, ...lines] = sweepCsv(madeUpSweep()).trimEnd().split("\n");
  assertEquals(head!.split(",").slice(0, 6), ["name", "method", "target", "seed", "state", "error"]);
  assertEquals(lines.length, 8);
  assertStringIncludes(lines[0]!, "none-seed-1,none,,1,finished,");
  assert(lines.at(-1)!.endsWith(',"Cannot work, as it is, with <this>"'));
});
