import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { relativeDifference } from "../bench/compare.ts";
import { flopsByCase } from "../bench/flops.ts";
import { measure } from "../bench/measure.ts";
import type { Peer, PeerCase } from "../bench/peers/peer.ts";
import {
  document,
  json,
  ratioOf,
  replaceReport,
  type Report,
  type Row,
  summaryOf,
  text,
} from "../bench/report.ts";
import type { TitledTable } from "../bench/record.ts";
import { type RuntimeCost, runtimeTables } from "../bench/runtime.ts";
import { digits, geometricMean, median } from "../bench/statistics.ts";
import { markdown, plain } from "../prune/report/text_table.ts";

const taken = (ms: number) => ({ ms, samples: [ms], repeat: 1, error: null, disagrees: false });
const failed = (error: string) => ({ ms: null, samples: [], repeat: 1, error, disagrees: false });

const rows: Row[] = [
  {
    name: "gemm",
    flops: 2e9,
    bytes: null,
    ours: taken(100),
    copy: null,
    peers: { "@jax-js/jax": taken(400), tfjs: taken(500) },
  },
  {
    name: "norm",
    flops: 1e6,
    bytes: 4e7,
    ours: taken(10),
    copy: taken(5),
    peers: { "@jax-js/jax": failed("lost\nits way"), tfjs: taken(10) },
  },
  {
    name: "ctc",
    flops: 1e6,
    bytes: null,
    ours: taken(2),
    copy: null,
    peers: { "@jax-js/jax": null, tfjs: null },
  },
];

const report: Report = {
  date: "2026-11-23",
  commit: "0123456",
  command: "deno task bench",
  adapter: "an adapter",
  runtime: "Deno 2",
  load: { before: 0.25, cores: 2 },
  rounds: 5,
  libraries: { espalier: "0.1.0", "@jax-js/jax": "0.1.25", tfjs: "4.22.0" },
  missing: {},
  rows,
};

Deno.test("median takes the middle, or the mean of two", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 1, 2, 3]), 2.5);
  assertThrows(() => median([]), RangeError);
});

Deno.test("geometric mean balances twice and half as fast", () => {
  assertAlmostEquals(geometricMean([2, 0.5]), 1);
  assertAlmostEquals(geometricMean([3, 3, 3]), 3);
  assertThrows(() => geometricMean([]), RangeError, "found none");
  assertThrows(() => geometricMean([1, 0]), RangeError, "found 0");
});

Deno.test("values have three digits", () => {
  assertEquals([0, 0.01234, 1.234, 12.34, 123.4, 1234.4].map(digits), [
    "0.00",
    "0.0123",
    "1.23",
    "12.3",
    "123",
    "1234",
  ]);
});

Deno.test("tables align", () => {
  const table = { head: ["case", "ms"], rows: [["a", "1.5"], ["long name", "20"]] };
  assertEquals(plain(table), "case        ms\n---------  ---\na          1.5\nlong name   20");
  assertEquals(
    markdown(table),
    "| case      |  ms |\n| --------- | --: |\n| a         | 1.5 |\n| long name |  20 |",
  );
});

Deno.test("differences are relative, and NaN never agrees", () => {
  assertAlmostEquals(relativeDifference(Float32Array.of(1, 100), Float32Array.of(1, 101)), 1 / 101);
  assertEquals(relativeDifference(Float32Array.of(NaN), Float32Array.of(NaN)), Infinity);
  assertEquals(relativeDifference(Float32Array.of(1), Float32Array.of(1, 2)), Infinity);
});

Deno.test("the ratio is that of the fastest peer that has a time", () => {
  assertEquals(rows.map(ratioOf), [4, 1, null]);
  const summary = summaryOf(rows)!;
  assertAlmostEquals(summary.mean, 2);
  assertEquals([summary.least, summary.of, summary.count], [1, "norm", 2]);
  assertEquals(summaryOf(rows.slice(2)), null);
});

Deno.test("the report shows times, failures and the summary", () => {
  const shown = text(report);
  assertStringIncludes(shown, "geometric mean 2.00 over 2 cases, least 1.00 (norm)");
  assertStringIncludes(shown, "(1) @jax-js/jax, norm: lost its way");
  assertStringIncludes(shown, "failed (1)");
  assertStringIncludes(
    document(report),
    "| gemm |  100 |    20.0 |      |           |            400 |     500 |  4.00 |",
  );
  assertEquals(JSON.parse(json(report)).rows[0].gflops, 20);
});

Deno.test("a document gets the report between its marks", () => {
  const [begin, end] = ["<!-- bench -->", "<!-- end of bench -->"];
  const page = replaceReport(`before\n\n${begin}\nold\n${end}\n\nafter\n`, report);
  assertStringIncludes(page, `before\n\n${begin}\n\n| case `);
  assertStringIncludes(page, `\n\n${end}\n\nafter\n`);
  assertEquals(page.includes("old"), false);
  assertEquals(replaceReport(page, report), page);
  assertThrows(() => replaceReport("nothing", report), SyntaxError, begin);
});

Deno.test("measure alternates, compares values, and continues after a failure", async () => {
  const turns: string[] = [];
  const library = (name: string, value: number, run: PeerCase["run"]): Peer => {
    const work: PeerCase = {
      run: (repeat) => {
        turns.push(name);
        return run(repeat);
      },
      check: () => Promise.resolve(Float32Array.of(value)),
      dispose: () => void turns.push(`${name} ends`),
    };
    return { name, version: "1", adapter: "", cases: new Map([["work", () => Promise.resolve(work)]]) };
  };
  const slow = (repeat: number) => new Promise<void>((done) => setTimeout(done, 60 * repeat));
  const libraries = [
    library("ours", 1, slow),
    library("right", 1.0001, slow),
    library("wrong", 2, slow),
    library("broken", 1, () => Promise.reject(new Error("no memory"))),
    { ...library("other", 1, slow), cases: new Map() },
  ];
  const [own, right, wrong, broken, other] = await measure("work", libraries, {
    rounds: 2,
    progress: () => {},
  });
  assertEquals([own!.samples.length, right!.samples.length], [2, 2]);
  assertEquals([wrong!.disagrees, wrong!.ms, broken!.error, other], [true, null, "no memory", null]);
  const ends = ["ours ends", "right ends", "wrong ends", "broken ends"];
  assertEquals(turns.slice(-8), ["ours", "right", "ours", "right", ...ends]);
});

Deno.test("every case has a count of floating-point operations", () => {
  const flops = flopsByCase();
  assertEquals(flops.get("gemm_1024x1024x1024"), 2 * 1024 ** 3);
  assertEquals([...flops.values()].every((count) => Number.isInteger(count) && count > 0), true);
});

Deno.test("the table of runtimes has the measured ones, and the reason for those that failed", () => {
  const measured: RuntimeCost = {
    ...{
      model: "dense",
      runtime: "ours",
      device: "llvmpipe",
      loadMs: 1234,
      msPerSecond: 56.78,
      cpuPerSecond: 112.3,
    },
    ...{ samples: [{ wall: 567.8, cpu: 1123 }], bytes: 987e6, difference: 1.5e-6, error: null },
  };
  const costs = [measured, { ...measured, runtime: "other", error: "no adapter" }];
  const [{ rows }] = runtimeTables("", costs) as [TitledTable];
  assertEquals(rows, [
    ["dense", "ours", "llvmpipe", "1.23 s", "56.8", "112", "987 MB", "1.5e-6"],
    ["dense", "other", "no adapter"],
  ]);
});
