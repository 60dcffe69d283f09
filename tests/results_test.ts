// docs/results.md, its plots and the table of the README are those of the records in docs/results/.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readmeTable, resultFiles, resultsPage } from "../bench/results.ts";
import { groupsOf } from "../prune/sweep/groups.ts";
import { madeUpSweep } from "./prune/sweep/records.ts";

const root = new URL("../", import.meta.url);

Deno.test("results are those of the records: deno run -A bench/results.ts writes them anew", async () => {
  for (const [path, content] of await resultFiles()) {
    assertEquals(await Deno.readTextFile(new URL(path, root)), content, `${path} is stale`);
  }
});

Deno.test("a record makes a section of the results and rows of the README", () => {
  const record = { ...madeUpSweep(), commit: "abc1234" };
  const entries = [{
    name: "digits",
    about: "## Digits, six voices\n\nThey are spoken.",
    record,
    groups: groupsOf(record),
  }];
  const page = resultsPage(entries);
  assertStringIncludes(
    page,
    "## Digits, six voices\n\nThey are spoken.\n\nThe sweep:\n\n```sh\n./espalier sweep ",
  );
  assertStringIncludes(
    page,
    "7 runs, seeds 1, 2, 12 min in all, on llvmpipe. Espalier 0.1.0, commit abc1234, 2026-11-30.",
  );
  assertStringIncludes(page, "\n- uniform-0.5-seed-2 failed: ");
  assertStringIncludes(page, "\n![Error against MACs kept](results/digits/macs.svg)\n");
  const [head, , ...rows] = readmeTable(entries).split("\n").map((row) =>
    row.split("|").map((cell) => cell.trim())
  );
  assertEquals(head!.slice(4), ["30 % removed", "time", "p", "50 % removed", "time", "p", ""]);
  assertEquals(rows.map((row) => row[1]), ["Digits, six voices"]);
  for (const error of [rows[0]![4]!, rows[0]![7]!]) assert(/^\d+\.\d\d %$/.test(error), error);
});
