import { assertEquals, assertThrows } from "@std/assert";
import { layerNorm } from "../../kernels/layer_norm.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";
import { layerNorm as oracle } from "../oracle/layer_norm.ts";
import { nd, randomMask, randomNd } from "../oracle/nd.ts";
import { assertClose, checkOp, type OpCase, upload } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[]): OpCase => {
  const channels = shape.at(-1)!;
  return {
    name: `layer_norm [${shape}]`,
    inputs: [randomNd(shape, 1, 3), randomNd([channels], 2), randomNd([channels], 3)],
    op: ([x, w, b]) => layerNorm(x!, w!, b!),
    oracle: ([x, w, b]) => oracle(x!, w!, b!),
  };
};

// The gates are not among the inputs, as they get no gradient.
const gated = (shape: number[], p: number): OpCase => {
  const open = randomMask(shape.slice(-1), 5, p);
  return {
    ...of(shape),
    name: `layer_norm [${shape}], ${p} open`,
    op: ([x, w, b]) => layerNorm(x!, w!, b!, { open: upload(x!.gpu, open) }),
    oracle: ([x, w, b]) => oracle(x!, w!, b!, { open }),
  };
};

Deno.test("layer_norm", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([3, n]));
    await checkOp(of([n, 5]));
    await checkOp(of([2, n, 8]));
  }
  await checkOp({
    ...of([4, 6]),
    name: "layer_norm eps",
    op: ([x, w, b]) => layerNorm(x!, w!, b!, { eps: 0.5 }),
    oracle: ([x, w, b]) => oracle(x!, w!, b!, { eps: 0.5 }),
  });
});

Deno.test("layer_norm, wide rows", async () => {
  await checkOp(of([3, 4097]));
  await checkOp(of([9, 3072]));
});

Deno.test("layer_norm over the open channels", async () => {
  for (const p of [0.5, 1]) {
    await checkOp(gated([66, 7], p));
    await checkOp(gated([5, 64], p));
    await checkOp(gated([3, 2052], p));
  }
  await checkOp(gated([5, 8], 0));
});

Deno.test("layer_norm does not depend on closed channels", async () => {
  const gpu = await testGpu();
  const run = async (closed: number) => {
    const x = gpu.tensor([1, closed, 4, 2, closed, -3], [2, 3]);
    const w = gpu.tensor([1, 2, 3]);
    const b = gpu.tensor([4, 5, 6]);
    const open = gpu.tensor([0.3, 0, 1]);
    const inputs = [x, w, b];
    for (const input of inputs) input.requiresGrad = true;
    const { y, grads } = gpu.scope(() => {
      const y = layerNorm(x, w, b, { open });
      return { y, grads: backward(y, { gradient: gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]) }) };
    });
    const tensors = [y, ...inputs.map((input) => grads.get(input) as Tensor)];
    const results = await Promise.all(tensors.map((tensor) => tensor.read()));
    for (const tensor of [...tensors, ...inputs, open]) tensor.dispose();
    return results;
  };
  const results = await run(7);
  for (const tensor of results) {
    assertEquals(tensor.filter((_, i) => i % 3 === 1).every((v) => v === 0), true);
  }
  assertEquals(await run(1e30), results);
  assertEquals(await run(NaN), results);
});

Deno.test("layer_norm of values far from 0", async () => {
  const gpu = await testGpu();
  const channels = 4096;
  const x = randomNd([2, channels], 1);
  x.data.forEach((v, i) => x.data[i] = Math.fround(v + 1000));
  const [w, b] = [nd([channels], new Float64Array(channels).fill(1)), nd([channels])];
  const y = gpu.scope(() => layerNorm(upload(gpu, x), upload(gpu, w), upload(gpu, b)));
  // At 1000 the mean is rounded by up to 2^-15, which cannot be avoided.
  assertClose("layer_norm", await y.read(), oracle(x, w, b).data, { rtol: 0, atol: 6e-5 });
  y.dispose();
});

Deno.test("layer_norm, 64 invocations a row", async () => {
  const gpu = await testGpu({ gemm: "texture", software: false });
  await checkOp({ ...of([3, 257]), gpu });
  await checkOp({ ...of([3, 256]), gpu });
  await checkOp({ ...gated([5, 66], 0.5), gpu });
});

Deno.test("layer_norm, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([600, 65]), gpu });
  await checkOp({ ...gated([300, 128], 0.5), gpu });
});

Deno.test("layer_norm refuses parameters that do not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const [x, two, three] = [gpu.zeros([4, 3]), gpu.zeros([2]), gpu.zeros([3])];
    const message = (name: string) => `Cannot apply a layer norm as ${name} must be [3]: found [2]`;
    assertThrows(() => layerNorm(x, two, three), TypeError, message("w"));
    assertThrows(() => layerNorm(x, three, two), TypeError, message("b"));
    assertThrows(() => layerNorm(x, three, three, { open: two }), TypeError, message("open"));
    assertThrows(
      () => layerNorm(gpu.zeros([4, 3], "i32"), three, three),
      TypeError,
      "Cannot apply a layer norm as x must be f32: found i32",
    );
  });
});
