// Past the limits for real, with the adapter's own. Inputs repeat a short pattern, so that the expected numbers
// take no oracle of that size.
import { assert, assertEquals } from "@std/assert";
import { gelu } from "../../kernels/gelu.ts";
import { matmul } from "../../kernels/matmul.ts";
import { sumRows } from "../../kernels/sum_rows.ts";
import { backward } from "../../tensor/tape.ts";
import { testGpu } from "../gpu.ts";
import { assertClose } from "../kernels/check_op.ts";
import { gelu as geluOracle } from "../oracle/gelu.ts";
import { matmul as matmulOracle } from "../oracle/matmul.ts";
import { type Nd, nd, randomNd } from "../oracle/nd.ts";

/** The pattern over and over, `n` numbers in all. */
function repeated(pattern: ArrayLike<number>, n: number): Float32Array {
  const out = new Float32Array(n);
  out.set(Float32Array.from(pattern).subarray(0, n));
  for (let done = pattern.length; done < n; done *= 2) out.copyWithin(done, 0, Math.min(done, n - done));
  return out;
}

/** Asserts that numbers repeat a pattern: its first copy is compared with it, the rest with the first. */
function assertRepeats(what: string, found: Float32Array, pattern: ArrayLike<number>): void {
  const first = found.slice(0, pattern.length);
  assertClose(what, first, pattern);
  const all = repeated(first, found.length);
  assertEquals(found.findIndex((value, i) => value !== all[i]), -1, `${what}: first number that differs`);
}

Deno.test("gelu of a tensor larger than a binding, in dispatches past 65,535 workgroups", async () => {
  const gpu = await testGpu();
  const n = gpu.limits.bindingBytes / 4 + 1000;
  assert(n / 4 / 256 > 65_535 / 2 && n > 2 ** 25, "the adapter's bindings are smaller than they all are");
  const pattern = randomNd([1000], 1);
  const live = gpu.pool.live;
  const y = gpu.scope(() => gelu(gpu.tensor(repeated(pattern.data, n))));
  assertRepeats("gelu", await y.read() as Float32Array, geluOracle(pattern).data);
  y.dispose();
  assertEquals(gpu.pool.live, live);
  gpu.pool.trim();
});
