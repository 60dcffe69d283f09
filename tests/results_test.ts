// docs/results.md, its plots and the table of the README are those of the records in docs/results/.
import { assertEquals, assertStringIncludes } from "@std/assert";
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
  const rows = readmeTable(entries).split("\n");
  assertEquals(rows.slice(2).map((row) => row.split("|").slice(1, 3).map((cell) => cell.trim())), [
    ["Digits, six voices", "70.0 %"],
    ["Digits, six voices", "50.0 %"],
  ]);
});
