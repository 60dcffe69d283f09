import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { alternate, medianOf, type Sample } from "../../bench/alternate.ts";
import { compactTables } from "../../bench/compact.ts";
import { exportTables } from "../../bench/export.ts";
import { gatesTables } from "../../bench/gates.ts";
import { halfTables } from "../../bench/half.ts";
import { memoryTables } from "../../bench/memory.ts";
import { bandwidthOf, tableOf } from "../../bench/report.ts";
import type { Measured } from "../../bench/measure.ts";
import { shaderTable } from "../../bench/profile.ts";
import { streamingTables } from "../../bench/streaming.ts";
import type { TitledTable } from "../../bench/record.ts";
import { errorRate, wordEdits } from "../../model/inference/error_rate.ts";

const samples = (...walls: number[]): Sample[] => walls.map((wall) => ({ wall, cpu: 2 * wall }));

Deno.test("works alternate after one execution of each", async () => {
  const turns: string[] = [];
  const work = (name: string) => () => Promise.resolve(turns.push(name));
  const all = await alternate([work("a"), work("b")], 2);
  assertEquals(turns, ["a", "b", "a", "b", "a", "b"]);
  assertEquals(all.map(({ length }) => length), [2, 2]);
  assert(all.flat().every(({ wall, cpu }) => wall >= 0 && cpu >= 0));
  assertEquals([medianOf(samples(3, 1, 2), "wall"), medianOf(samples(3, 1, 2), "cpu")], [2, 4]);
});

Deno.test("the tables of compact models, closed gates, f16 and exports show ratios of medians", () => {
  const compact = { name: "base_50_any", description: "half", macs: 0.5 };
  const [table] = compactTables([{ ...compact, dense: samples(9, 10, 30), compact: samples(6, 5, 1) }]);
  assertEquals(table!.rows, [["base_50_any", "half", "50.0 %", "50.0 %", "50.0 %", "1.00"]]);
  const [gates] = gatesTables({ open: samples(200, 400), half: samples(100, 240) });
  assertEquals(gates!.rows, [["time", "150 ms", "85.0 ms", "0.55"], [
    "CPU time",
    "300 ms",
    "170 ms",
    "0.55",
  ]]);
  const costs = [
    { dtype: "f32", samples: samples(10), weights: 4e8, peak: 5e8 },
    { dtype: "f16", samples: samples(8), weights: 2e8, peak: 3e8 },
  ] as const;
  assertEquals(halfTables({ costs, difference: 0.1, largest: 2 })[0]!.rows, [
    ["f32", "100 %", "100 %", "400 MB", "500 MB"],
    ["f16", "80 %", "80 %", "200 MB", "300 MB"],
  ]);
  const rates = { dense: errorRate([wordEdits("a b", "a")]), compact: errorRate([wordEdits("a b", "c d")]) };
  const files = [
    { dtype: "f32", bytes: 4e8, samples: samples(10), ...rates },
    { dtype: "q8", bytes: 1e8, samples: samples(7), ...rates },
  ] as const;
  assertEquals(exportTables({ onnxruntime: "1.30.0", costs: files })[0]!.rows, [
    ["`f32`", "400.0 MB", "100 %", "50.00 %", "100.00 %"],
    ["`q8`", "100.0 MB", "70 %", "50.00 %", "100.00 %"],
  ]);
});

Deno.test("the table of the bench shows what a case moves beside a copy of as many bytes", () => {
  const measured = (ms: number): Measured => ({
    ms,
    samples: [ms],
    repeat: 1,
    error: null,
    disagrees: false,
  });
  const bound = { name: "adamw", flops: 6e6, bytes: 8e6, ours: measured(2), copy: measured(1.5) };
  const other = { name: "gemm", flops: 6e6, bytes: null, ours: measured(2), copy: null };
  assertEquals([bandwidthOf({ ...bound, peers: {} }), bandwidthOf({ ...other, peers: {} })], [
    { gb: 4, share: 0.75 },
    null,
  ]);
  const rows = [bound, other].map((row) => ({ ...row, peers: { jax: measured(6) } }));
  const { head, rows: cells } = tableOf({
    ...{
      date: "",
      commit: null,
      command: "",
      adapter: "",
      runtime: "",
      load: { before: 0, cores: 2 },
      rounds: 1,
    },
    ...{ libraries: { espalier: "1", jax: "1" }, missing: {}, rows },
  });
  assertEquals(head, ["case", "ms", "GFLOP/s", "GB/s", "of a copy", "jax ms", "ratio"]);
  assertEquals(cells, [
    ["adamw", "2.00", "3.00", "4.00", "75 %", "6.00", "3.00"],
    ["gemm", "2.00", "3.00", "", "", "6.00", "3.00"],
  ]);
});

Deno.test("the page of a profile has the sums of each shader, whatever its constants", () => {
  const kernels = [
    { label: "gemm[].main COLUMN_BITS=10", count: 6, ms: 50 },
    { label: "layer_norm.forward LANES=1", count: 4, ms: 30 },
    { label: "gemm[BIAS].main COLUMN_BITS=10", count: 2, ms: 20 },
  ];
  const { title, rows } = shaderTable({ name: "step", executions: 2, ms: 120, kernels });
  assertEquals(title, "step, the 6 dispatches of an execution by shader");
  assertEquals(rows, [["`gemm`", "4", "70.0 %"], ["`layer_norm`", "2", "30.0 %"]]);
});

Deno.test("the table of memory has estimates, and the peaks of what was run", () => {
  const estimate = {
    ...{ device: "an adapter", software: true, device_bytes: 3e9, host_bytes: 1e9, disk_bytes: 5e9 },
  };
  const [{ rows }] = memoryTables([
    { model: "base", words: ["prune", "--steps", "12"], estimate, peak: null },
    { model: "embedded", words: ["train"], estimate, peak: 3.9e9 },
  ]) as [TitledTable];
  assertEquals(rows, [
    ["base", "`prune --steps 12`", "3.00 GB", "1.00 GB", "4.00 GB", ""],
    ["embedded", "`train`", "3.00 GB", "1.00 GB", "4.00 GB", "3.90 GB"],
  ]);
});

Deno.test("the table of streaming has median, 95th percentile and largest delay", () => {
  const settings = { chunkSeconds: 6, strideSeconds: 1, partialSeconds: 0.5 };
  const delays = [{ settings, final: [3, 1, 2], partial: [0.1, 0.3, 0.2] }];
  const [{ title, rows }] = streamingTables({ seconds: 9, piece: 0.2, delays }) as [TitledTable];
  assertStringIncludes(title, "of 3 words in 9 s");
  assertEquals(rows, [["6, 1, 0.5", "2.0 s, 3.0 s, 3.0 s", "0.2 s, 0.3 s, 0.3 s"]]);
});
