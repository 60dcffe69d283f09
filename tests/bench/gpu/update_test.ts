import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseJunit } from "../../../bench/gpu/operations.ts";
import { outdatedPages, recordText, replaceRecords } from "../../../bench/gpu/update.ts";
import type { BenchRecord } from "../../../bench/record.ts";

const record: BenchRecord = {
  ...{ part: "gemm", date: "2026-11-30T12:00Z", commit: "0123456", adapter: "an adapter", runtime: "Deno 2" },
  ...{ command: "deno task bench:gpu", quick: false, seconds: 3, error: null, result: {} },
};
const table = { title: "GEMM", head: ["size", "TFLOP/s"], rows: [["512³", "20.1"]] };

Deno.test("a page gets the tables of a folder's records, with date, commit and adapter, and keeps the others", async () => {
  const mark = (name: string) => `<!-- record ${name} -->\n\nold\n\n<!-- end of record ${name} -->`;
  const page = `before\n\n${mark("h200 gemm")}\n\nbetween\n\n${mark("llvmpipe gemm")}\n\n${
    mark("h200 facts")
  }\n`;
  const textOf = (part: string) => Promise.resolve(part === "gemm" ? recordText(record, [table]) : null);
  const updated = await replaceRecords(page, "h200", textOf);
  assertStringIncludes(updated, "<!-- record h200 gemm -->\n\nGEMM:\n\n| size | TFLOP/s |");
  assertStringIncludes(updated, "| 512³ |    20.1 |");
  assertStringIncludes(
    updated,
    "_2026-11-30 12:00 UTC, commit 0123456, an adapter, Deno 2: `deno task bench:gpu`._\n\n<!-- end",
  );
  assertEquals(updated.match(/\nold\n/g)?.length, 2); // of another folder, and without a record
  assertEquals(await replaceRecords(updated, "h200", textOf), updated);
});

Deno.test("a record that is not complete, or of tiny shapes, is marked as such on the page", () => {
  const text = recordText({ ...record, quick: true, error: "it took more than 80 s", commit: null }, [table]);
  assertStringIncludes(text, "Not complete: it took more than 80 s.");
  assertStringIncludes(text, "commit unknown");
  assertStringIncludes(text, "tiny shapes");
});

Deno.test("tests that failed are read from the report of deno test", () => {
  const xml = `<testsuites name="deno test" tests="2" failures="1">
    <testsuite><testcase name="gelu &amp; more" classname="./a.ts" time="0.1"/>
    <testcase name="ctc" classname="./b.ts"><failure message="Values differ:&#10;1 &lt; 2">Stack</failure></testcase>
    </testsuite></testsuites>`;
  assertEquals(parseJunit(xml), {
    passed: 1,
    failed: 1,
    failures: [{ test: "ctc", error: "Values differ:" }],
  });
});

Deno.test("the tables in docs/ are those of the records in docs/results/bench", async () => {
  const folder = new URL("../../../docs/results/bench", import.meta.url).pathname;
  for await (const { name } of Deno.readDir(folder)) {
    assertEquals(
      [...(await outdatedPages(`${folder}/${name}`)).keys()],
      [],
      `bench:gpu --update --out ${name}`,
    );
  }
});
