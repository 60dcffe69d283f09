import { assertAlmostEquals, assertEquals } from "@std/assert";
import { macShare } from "../../bench/compact.ts";
import { compactCases } from "../../bench/compact_cases.ts";

Deno.test("the published models have the shares of MACs that their widths give", async () => {
  const cases = new Map((await compactCases()).map((one) => [one.name, one]));
  const [base, large] = [cases.get("diarizen_base")!, cases.get("diarizen_large")!];
  assertAlmostEquals(macShare(base), 0.165, 5e-4);
  assertAlmostEquals(macShare(large), 0.208, 5e-4);
  assertEquals(base.compact.use_attention.flatMap((used, layer) => used ? [] : [layer]), [8, 9]);
  assertEquals(large.compact.use_attention.flatMap((used, layer) => used ? [] : [layer]), [9, 12, 16, 17]);
});

Deno.test("the models that were cut to a share of the MACs have it", async () => {
  for (const one of await compactCases()) {
    const [, removed] = /^base_(\d+)_/.exec(one.name) ?? [];
    if (removed !== undefined) assertAlmostEquals(macShare(one), 1 - Number(removed) / 100, 5e-3);
  }
});
