// Tensors past the adapter's own limits. Inputs repeat a short pattern, so that the expected values need no oracle of that
// size.
import { assert, assertEquals } from "@std/assert";
import { gelu } from "../../kernels/gelu.ts";
import { matmul } from "../../kernels/matmul.ts";
import { sum } from "../../kernels/sum.ts";
import { sumRows } from "../../kernels/sum_rows.ts";
import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { GemmVariant } from "../../kernels/gemm/choice.ts";
import { Kernel } from "../../tensor/kernel.ts";
import { backward } from "../../tensor/backward.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { gelu as geluOracle } from "../oracle/gelu.ts";
import { matmul as matmulOracle } from "../oracle/matmul.ts";
import { randomNd } from "../oracle/nd.ts";
import { sum as sumOracle } from "../oracle/sum.ts";
import { sumRows as sumRowsOracle } from "../oracle/sum_rows.ts";

/** The pattern repeated to `n` elements. */
function repeated(pattern: ArrayLike<number>, n: number): Float32Array {
  const out = new Float32Array(n);
  out.set(Float32Array.from(pattern).subarray(0, n));
  for (let done = pattern.length; done < n; done *= 2) out.copyWithin(done, 0, Math.min(done, n - done));
  return out;
}

/** Asserts that values repeat a pattern: its first copy is compared with it, the rest with the first. */
function assertRepeats(what: string, found: Float32Array, pattern: ArrayLike<number>): void {
  const first = found.slice(0, pattern.length);
  assertClose(what, first, pattern);
  const all = repeated(first, found.length);
  assertEquals(found.findIndex((value, i) => value !== all[i]), -1, `${what}: first number that differs`);
}

/** The device with bindings of 128 MiB, which is what adapters have at least and software ones at most. */
const ordinaryGpu = (gemm: GemmVariant = "texture") => testGpu({ gemm, limits: { bindingBytes: 2 ** 27 } });

Deno.test("gelu of a tensor larger than a binding", async () => {
  const gpu = await ordinaryGpu();
  const n = 2 ** 25 + 1001;
  const pattern = randomNd([1000], 1);
  const live = gpu.pool.live;
  const y = gpu.scope(() => gelu(gpu.tensor(repeated(pattern.data, n))));
  assertRepeats("gelu", await y.read() as Float32Array, geluOracle(pattern).data);
  y.dispose();
  assertEquals(gpu.pool.live, live);
  gpu.pool.trim();
});

Deno.test("a dispatch past 65,535 workgroups", async () => {
  const gpu = await ordinaryGpu();
  const workgroups = 200_001;
  assert(workgroups > gpu.limits.workgroups);
  const kernel = new Kernel(
    "numbers",
    `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
     @compute @workgroup_size(1)
     fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
       let number = workgroup_number(id, count);
       if (number < arrayLength(&y)) {
         y[number] += number + 1u;
       }
     }`,
    [index],
  );
  using y = gpu.zeros([workgroups], "i32");
  gpu.run(kernel, { bind: { y }, workgroups });
  assertEquals((await y.read()).findIndex((number, i) => number !== i + 1), -1);
});

Deno.test("sums of more than 65,535 rows and terms", async () => {
  const gpu = await ordinaryGpu();
  const x = randomNd([70_000, 3], 2);
  const [rows, all] = gpu.scope(() => {
    const tensor = upload(gpu, x);
    return [sumRows(tensor), sum(tensor)];
  });
  assertClose("sumRows", await rows!.read(), sumRowsOracle(x).data);
  assertClose("sum", await all!.read(), sumOracle(x).data);
  for (const tensor of [rows!, all!]) tensor.dispose();
});

for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture", "tile-32")) {
  Deno.test(`matmul over an inner size of 70,000, ${gemm}`, async () => {
    const gpu = await ordinaryGpu(gemm);
    const [a, b] = [randomNd([3, 70_000], 3), randomNd([70_000, 5], 4)];
    const y = gpu.scope(() => matmul(upload(gpu, a), upload(gpu, b)));
    assertClose("matmul", await y.read(), matmulOracle(a, b).data);
    y.dispose();
  });

  Deno.test(`matmul of a tensor larger than a binding, with its gradients, ${gemm}`, async () => {
    const gpu = await ordinaryGpu(gemm);
    const live = gpu.pool.live;
    const [m, k, n, period] = [530_000, 64, 3, 100]; // a is 130 MiB
    const rows = randomNd([period, k], 5);
    const b = randomNd([k, n], 6);
    const seed = randomNd([period, n], 7);
    const { y, da, db } = gpu.scope(() => {
      const a = gpu.tensor(repeated(rows.data, m * k), [m, k]);
      const right = upload(gpu, b);
      a.requiresGrad = right.requiresGrad = true;
      const y = matmul(a, right);
      const grads = backward(y, { gradient: gpu.tensor(repeated(seed.data, m * n), [m, n]) });
      return { y, da: grads.get(a)!, db: grads.get(right)! };
    });
    assertRepeats("value", await y.read() as Float32Array, matmulOracle(rows, b).data);
    assertRepeats(
      "gradient of a",
      await da.read() as Float32Array,
      matmulOracle(seed, b, { transposeB: true }).data,
    );
    const once = matmulOracle(rows, seed, { transposeA: true });
    assertClose("gradient of b", await db.read(), once.data.map((value) => value * m / period));
    for (const tensor of [y, da, db]) tensor.dispose();
    assertEquals(gpu.pool.live, live);
    gpu.pool.trim();
  });
}
