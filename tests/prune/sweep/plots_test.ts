import { assertEquals } from "@std/assert";
import { METHODS } from "../../../prune/method.ts";
import { groupsOf } from "../../../prune/sweep/groups.ts";
import { paretoOption } from "../../../prune/sweep/plots.ts";
import { madeUpSweep } from "./records.ts";

Deno.test("every method has a line of its own colour and symbol", () => {
  const record = madeUpSweep();
  const mac = groupsOf(record).find(({ method }) => method === "mac")!;
  const methods = METHODS.filter((method) => method !== "none");
  const option = paretoOption(record, methods.map((method) => ({ ...mac, method })), "macs", "MACs kept, %")!;
  const series = option.series as { name?: string; symbol?: string; itemStyle?: { color: string } }[];
  const lines = series.filter(({ name, symbol }) =>
    name !== undefined && name !== "dense" && symbol !== "none"
  );
  assertEquals(lines.map(({ name }) => name), methods);
  assertEquals(new Set(lines.map(({ itemStyle }) => itemStyle!.color)).size, methods.length);
  assertEquals(new Set(lines.map(({ symbol }) => symbol)).size, methods.length);
});
