import { assert, assertEquals, assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { gelu } from "../../kernels/gelu.ts";
import { linear } from "../../kernels/linear.ts";
import { matmul } from "../../kernels/matmul.ts";
import { scale } from "../../kernels/scale.ts";
import { sum } from "../../kernels/sum.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { backward } from "../../tensor/backward.ts";
import { noGrad, record, recording } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";

/** Runs a test in a scope and asserts that it leaves neither buffers nor records behind. */
async function within(test: (gpu: Gpu) => Record<string, Tensor>): Promise<Record<string, number[]>> {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  const kept = gpu.scope(() => test(gpu));
  const values: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(kept)) {
    values[name] = [...await tensor.read()];
    tensor.dispose();
  }
  assertEquals([gpu.pool.live, gpu.tape.steps.length, gpu.tape.paused], [live, 0, 0]);
  return values;
}

function parameter(gpu: Gpu, data: number[], shape?: number[]): Tensor {
  const tensor = gpu.tensor(data, shape);
  tensor.requiresGrad = true;
  return tensor;
}

Deno.test("backward returns the gradients of the parameters alone", async () => {
  const found = await within((gpu) => {
    const x = gpu.tensor([1, 2, 3, 4], [2, 2]);
    const w = parameter(gpu, [1, 0, -1, 2], [2, 2]);
    const b = parameter(gpu, [5, 7]);
    const unused = parameter(gpu, [1]);
    const y = linear(x, w, b);
    const grads = backward(sum(y), { keep: [y] });
    assertEquals([grads.size, grads.has(x), grads.has(y), grads.has(unused)], [2, false, false, false]);
    assertEquals(grads.get(w)!.shape, [2, 2]);
    return { y, dw: grads.get(w)!, db: grads.get(b)! };
  });
  assertEquals(found, { y: [6, 10, 8, 12], dw: [4, 6, 4, 6], db: [2, 2] });
});

Deno.test("a tensor used several times receives the sum of its gradients", async () => {
  const found = await within((gpu) => {
    const x = parameter(gpu, [1, 2, 3]);
    const twice = add(x, x);
    const y = add(add(scale(twice, 10), twice), x); // 23·x
    const grads = backward(y, { gradient: gpu.tensor([1, -1, 0.5]) });
    return { dx: grads.get(x)! };
  });
  assertEquals(found, { dx: [23, -23, 11.5] });
});

Deno.test("a gradient that passes through to two inputs is not changed by the sum of one", async () => {
  const found = await within((gpu) => {
    const a = parameter(gpu, [1]);
    const b = parameter(gpu, [2]);
    const gradient = gpu.tensor([3]);
    const grads = backward(add(add(a, b), scale(a, 2)), { gradient }); // da, db and the gradient share one buffer at first
    return { da: grads.get(a)!, db: grads.get(b)!, gradient };
  });
  assertEquals(found, { da: [9], db: [3], gradient: [3] });
});

Deno.test("matmul of a tensor with itself", async () => {
  const found = await within((gpu) => {
    const a = parameter(gpu, [1, 2, 3, 4], [2, 2]);
    return { da: backward(sum(matmul(a, a))).get(a)! };
  });
  assertEquals(found, { da: [7, 11, 9, 13] });
});

Deno.test("branches that the output does not depend on have no gradient", async () => {
  const found = await within((gpu) => {
    const x = parameter(gpu, [2]);
    const other = parameter(gpu, [5]);
    const y = scale(x, 3);
    scale(add(y, other), 100);
    const grads = backward(y);
    assertEquals(grads.has(other), false);
    return { dx: grads.get(x)! };
  });
  assertEquals(found, { dx: [3] });
});

Deno.test("a scalar parameter is its own derivative", async () => {
  const found = await within((gpu) => {
    const x = parameter(gpu, [2], []);
    return { dx: backward(x).get(x)! };
  });
  assertEquals(found, { dx: [1] });
});

Deno.test("noGrad records nothing, also when it throws", async () => {
  await within((gpu) => {
    const x = parameter(gpu, [2]);
    const y = noGrad(gpu, () => {
      assertEquals(recording([x]), false);
      return noGrad(gpu, () => scale(x, 3));
    });
    assertEquals([y.needsGrad, gpu.tape.steps.length], [false, 0]);
    assertThrows(
      () =>
        noGrad(gpu, () => {
          throw new RangeError("stop");
        }),
      RangeError,
      "stop",
    );
    assertEquals([gpu.tape.paused, recording([x]), recording([null, y])], [0, true, false]);
    assertThrows(
      () => backward(y),
      TypeError,
      "Cannot differentiate as no input of the output requires a gradient",
    );
    return {};
  });
});

Deno.test("operations on inputs that need no gradient are not recorded, and drop what they saved", async () => {
  await within((gpu) => {
    const x = gpu.tensor([1]);
    const saved = gpu.tensor([2]);
    const y = gelu(x);
    record("nothing", [x, null], [y], () => [null, null], [saved]);
    assertEquals([gpu.tape.steps.length, saved.disposed, y.needsGrad], [0, true, false]);
    return {};
  });
});

Deno.test("backward disposes operation results except the output and those to keep", async () => {
  await within((gpu) => {
    const x = parameter(gpu, [1, 2]);
    const [a, b] = [scale(x, 2), scale(x, 3)];
    const c = add(a, b);
    const saved = gpu.tensor([1]);
    const d = noGrad(gpu, () => scale(c, 1));
    record("same", [c], [d], ([dy]) => [dy!.view()], [saved]);
    const y = sum(d);
    backward(y, { keep: [b] });
    const tensors = [x, a, b, c, saved, d, y];
    assertEquals(tensors.map((tensor) => tensor.disposed), [false, true, false, true, true, true, false]);
    return {};
  });
});

Deno.test("without a scope too, only the inputs, the output and the gradients are left", async () => {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  const x = parameter(gpu, [1, 2, 3, 4], [2, 2]);
  const y = sum(gelu(matmul(add(x, scale(x, 0.5)), x)));
  const grads = backward(y);
  assertEquals([grads.size, gpu.pool.live - live, gpu.tape.steps.length], [1, 3, 0]);
  for (const tensor of [x, y, grads.get(x)!]) tensor.dispose();
  assertEquals(gpu.pool.live, live);
});

Deno.test("what was differentiated is a constant afterwards", async () => {
  const found = await within((gpu) => {
    const x = parameter(gpu, [2]);
    const a = scale(x, 3);
    const y = scale(a, 5);
    backward(y, { keep: [a] });
    const why = "Cannot differentiate as the tape of the output is spent: backward has run over it";
    assertThrows(() => backward(y), TypeError, why);
    assertThrows(() => backward(a, { gradient: a }), TypeError, why);
    return { dx: backward(add(scale(x, 7), a)).get(x)! };
  });
  assertEquals(found, { dx: [7] });
});

Deno.test("a gradient must have the output's shape, and a tensor of several elements needs one", async () => {
  await within((gpu) => {
    const x = parameter(gpu, [1, 2, 3, 4], [2, 2]);
    const y = scale(x, 2);
    assertThrows(
      () => backward(y),
      TypeError,
      "Cannot differentiate as the gradient must have the output's shape: output is [2, 2]",
    );
    assertThrows(
      () => backward(y, { gradient: gpu.tensor([1, 2, 3, 4]) }),
      TypeError,
      "Cannot differentiate as the gradient must have the output's shape: gradient is [4], output is [2, 2]",
    );
    assertEquals(gpu.tape.steps.length, 1); // nothing was lost
    backward(y, { gradient: gpu.tensor([1, 2, 3, 4], [2, 2]) });
    return {};
  });
});

Deno.test("a gradient of another shape than its input is refused with the name of the operation", async () => {
  await within((gpu) => {
    const x = parameter(gpu, [1, 2]);
    const y = gpu.tensor([1, 2]);
    record("stretch", [x], [y], () => [gpu.zeros([3])]);
    assertThrows(
      () => backward(sum(y)),
      TypeError,
      "Cannot pull back stretch as the gradient must have the input's shape: [3] for [2]",
    );
    return {};
  });
});

Deno.test("a pullback is given which gradients are needed, and others are dropped", async () => {
  const found = await within((gpu) => {
    const x = parameter(gpu, [1, 2]);
    const constant = gpu.tensor([3, 4]);
    const y = gpu.tensor([4, 6]);
    const z = gpu.tensor([0, 0]);
    let seen: unknown;
    record("pair", [constant, null, x], [y, z], (dys, needs) => {
      seen = [dys.map((dy) => dy !== null), needs];
      return [dys[0]!.view(), null, dys[0]!.view()];
    });
    const grads = backward(sum(y));
    assertEquals(seen, [[true, false], [false, false, true]]);
    assertEquals([grads.size, grads.has(constant)], [1, false]);
    assert(y.disposed && z.disposed);
    return { dx: grads.get(x)! };
  });
  assertEquals(found, { dx: [1, 1] });
});
