// What the invocations that share a row do together, by itself: in workgroup memory, and where the device has subgroups, as
// browsers' have, through those.
import { assertEquals } from "@std/assert";
import { overLanes } from "../../../kernels/internal/over_lanes.ts";
import { Kernel } from "../../../tensor/kernel.ts";
import { testGpu } from "../../gpu.ts";

const kernel = new Kernel(
  "over_lanes",
  `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = workgroup.x * 64u + local;
  let largest = largest_over_lanes(x[i], local);
  let sums = sum_over_lanes(vec3f(x[i], f32(local), 1.0), local);
  y[i] = vec4f(sums.xy, largest_over_lanes(sums.z, local), largest);
}`,
  [overLanes],
);

Deno.test("lanes sum up and find the largest, and all of a row know it", async () => {
  const gpu = await testGpu();
  const numbers = Array.from({ length: 192 }, (_, i) => i * 37 % 193 - 200); // whole, so that sums are exact
  using x = gpu.tensor(numbers);
  for (const lanes of [1, 2, 16, 32, 64]) {
    using y = gpu.empty([192, 4]);
    gpu.run(kernel, { bind: { x, y }, constants: { LANES: lanes }, workgroups: 3 });
    const expected = numbers.flatMap((_, i) => {
      const first = i - i % lanes;
      const row = numbers.slice(first, first + lanes);
      const sum = (of: number[]) => of.reduce((sum, value) => sum + value, 0);
      return [sum(row), sum(row.map((_, j) => (first + j) % 64)), lanes, Math.max(...row)];
    });
    assertEquals([...await y.read()], expected, `${lanes} lanes`);
  }
});
