// Sums and maxima over the invocations that share a row, in workgroup memory and, where the device has them, by subgroups.
import { assertEquals } from "@std/assert";
import { overLanes } from "../../../kernels/internal/over_lanes.ts";
import { Kernel } from "../../../tensor/kernel.ts";
import type { Gpu } from "../../../tensor/gpu.ts";
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

for (const subgroups of [false, true]) {
  const how = subgroups ? "by subgroups" : "in workgroup memory";
  Deno.test(`lanes of a row get its sum and its largest value, ${how}`, async () => {
    await check(await testGpu({ subgroups }));
  });
}

async function check(gpu: Gpu): Promise<void> {
  const values = Array.from({ length: 192 }, (_, i) => i * 37 % 193 - 200); // whole, so that sums are exact
  using x = gpu.tensor(values);
  for (const lanes of [1, 2, 16, 32, 64]) {
    using y = gpu.empty([192, 4]);
    gpu.run(kernel, { bind: { x, y }, constants: { LANES: lanes }, workgroups: 3 });
    const expected = values.flatMap((_, i) => {
      const first = i - i % lanes;
      const row = values.slice(first, first + lanes);
      const sum = (of: number[]) => of.reduce((sum, value) => sum + value, 0);
      return [sum(row), sum(row.map((_, j) => (first + j) % 64)), lanes, Math.max(...row)];
    });
    assertEquals([...await y.read()], expected, `${lanes} lanes`);
  }
}
