import { assertThrows } from "@std/assert";
import { positionGate } from "../../kernels/position_gate.ts";
import { testGpu } from "../gpu.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { positionGate as oracle } from "../oracle/position_gate.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (batch: number, frames: number, heads: number): OpCase => ({
  name: `position_gate ${[batch, frames, heads]}`,
  inputs: [randomNd([batch, frames, heads, 8], 1), randomNd([heads], 2)],
  op: ([u, c]) => positionGate(u!, c!),
  oracle: ([u, c]) => oracle(u!, c!),
});

Deno.test("position_gate", async () => {
  for (const n of [1, 63, 64, 65, 257]) await checkOp(of(1, n, 1));
  for (const heads of [3, 64, 65]) await checkOp(of(2, 5, heads));
  await checkOp({
    ...of(2, 5, 3),
    name: "position_gate, c as published",
    inputs: [randomNd([2, 5, 3, 8], 1), randomNd([1, 3, 1, 1], 2)],
  });
  const saturated = nd([1, 2, 1, 8], [9, 9, 9, 9, 0, 0, 0, 1, -9, -9, -90, -9, 30, 30, 30, 30]);
  await checkOp({ ...of(1, 2, 1), name: "position_gate, saturated", inputs: [saturated, nd([1], [2])] });
});

Deno.test("position_gate sums more than 65,535 rows", async () => {
  await checkOp({ ...of(2, 33000, 1), wrt: [1] });
});

Deno.test("position_gate, more than a binding holds", async () => {
  await checkOp({ ...of(3, 257, 5), gpu: await narrowGpu() });
});

Deno.test("position_gate refuses other sizes", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => positionGate(gpu.zeros([1, 2, 3, 7]), gpu.zeros([3])),
      TypeError,
      "Cannot gate a position bias as u must be [1, 2, 3, 8]: found [1, 2, 3, 7]",
    );
    assertThrows(
      () => positionGate(gpu.zeros([1, 2, 3, 8]), gpu.zeros([2])),
      TypeError,
      "Cannot gate a position bias as there must be one c per head: u is [1, 2, 3, 8], c is [2]",
    );
    assertThrows(
      () => positionGate(gpu.zeros([2, 3, 8]), gpu.zeros([3])),
      TypeError,
      "Cannot gate a position bias as u must have 4 dimensions: found [2, 3, 8]",
    );
  });
});
