import { assert, assertEquals, assertThrows } from "@std/assert";
import { dropout, type DropoutOptions } from "../../kernels/dropout.ts";
import { uniformAt } from "../../random/philox.ts";
import { testGpu } from "../gpu.ts";
import { dropout as oracle } from "../oracle/dropout.ts";
import { type Nd, nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const options: DropoutOptions = { p: 0.3, seed: 7, purpose: "dropout test", step: 11 };

// The mask that the host's generator draws.
function keepOf(shape: number[], { p, ...stream }: DropoutOptions): Nd {
  const keep = nd(shape);
  keep.data.forEach((_, i) => keep.data[i] = uniformAt(i, stream) >= Math.fround(p) ? 1 : 0);
  return keep;
}

const of = (shape: number[], options: DropoutOptions) => ({
  name: `dropout [${shape}] ${options.p}`,
  inputs: [randomNd(shape, 1)],
  op: ([x]: Parameters<typeof dropout>[0][]) => dropout(x!, options),
  oracle: ([x]: Nd[]) => oracle(x!, { p: options.p, keep: keepOf(shape, options) }),
});

Deno.test("dropout", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    for (const p of [0, 0.3, 1]) await checkOp(of([n], { ...options, p }));
  }
  await checkOp(of([2, 3, 5], options));
});

Deno.test("dropout drops where the host's generator does", async () => {
  const gpu = await testGpu();
  for (const p of [0.1, 0.5, 0.9]) {
    const n = 10001;
    const y = gpu.scope(() => dropout(gpu.tensor(new Float32Array(n).fill(1)), { ...options, p }));
    const found = await y.read();
    const keep = keepOf([n], { ...options, p });
    assertEquals(Array.from(found, (v) => v === 0 ? 0 : 1), Array.from(keep.data));
    assert(Math.abs(keep.data.reduce((sum, v) => sum + v) / n - (1 - p)) < 0.02);
    y.dispose();
  }
});

Deno.test("dropout draws another mask for another seed, purpose and step", async () => {
  const gpu = await testGpu();
  const draw = async (change: Partial<DropoutOptions>) => {
    const y = gpu.scope(() => dropout(gpu.tensor(new Float32Array(64).fill(1)), { ...options, ...change }));
    const found = (await y.read()).join();
    y.dispose();
    return found;
  };
  assertEquals(await draw({}), await draw({}));
  const draws = [
    await draw({}),
    await draw({ seed: 8 }),
    await draw({ purpose: "other" }),
    await draw({ step: 12 }),
  ];
  assertEquals(new Set(draws).size, 4);
});

Deno.test("dropout with p = 0 shares the memory of x", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([3]);
    assertEquals(dropout(x, { ...options, p: 0 }).storage, x.storage);
  });
});

Deno.test("dropout, more than a binding holds", async () => {
  await checkOp({ ...of([40001], options), gpu: await narrowGpu() });
});

Deno.test("dropout refuses a p that is not from 0 to 1", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([3]);
    for (const p of [-0.1, 1.1, NaN]) {
      assertThrows(
        () => dropout(x, { ...options, p }),
        RangeError,
        `Cannot drop as p must be from 0 to 1: found ${p}`,
      );
    }
    assertThrows(() => dropout(x, { ...options, step: -1 }), RangeError, "step must be a whole number");
    assertThrows(
      () => dropout(gpu.zeros([3], "i32"), options),
      TypeError,
      "Cannot drop as x must be f32: found i32",
    );
  });
});
