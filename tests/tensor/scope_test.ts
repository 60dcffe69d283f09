import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { gelu } from "../../kernels/gelu.ts";
import { linear } from "../../kernels/linear.ts";
import { scale } from "../../kernels/scale.ts";
import { sum } from "../../kernels/sum.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { Kernel } from "../../tensor/kernel.ts";
import { backward } from "../../tensor/backward.ts";
import { noGrad, record } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { upload } from "../kernels/check_op.ts";
import { randomNd } from "../oracle/nd.ts";
import { testGpu } from "../gpu.ts";

const parameters = (gpu: Gpu): Tensor[] =>
  [[8, 3, 2], [8, 8], [8], [8, 8], [8]].map((shape, seed) => {
    const tensor = upload(gpu, randomNd(shape, seed, 0.3));
    tensor.requiresGrad = true;
    return tensor;
  });

type Hook = (x: Tensor) => Tensor;

/** The loss of a small model; `hook` receives the output of its first half. */
function forward(gpu: Gpu, [conv, w1, b1, w2, b2]: Tensor[], hook: Hook = (x) => x): Tensor {
  const clips = upload(gpu, randomNd([2, 21, 2], 11));
  const h = hook(conv1d(clips, conv!, null, { stride: 2, gelu: true }));
  const y = attention(h, linear(h, w1!, b1!), h, { heads: 2, lengths: [10, 7] });
  return sum(gelu(linear(add(y, h), w2!, b2!)));
}

/** Passes its input through, with the given pullback. */
function passing(pullback: (dy: Tensor) => Tensor): Hook {
  return (x) => {
    const y = scale(x.view(), 1); // a view is not followed by the tape
    const saved = x.gpu.zeros([7]);
    record("passing", [x], [y], ([dy]) => [pullback(dy!)], [saved]);
    return y;
  };
}

/** Counts of buffers and textures in use, of records and pauses of the tape. */
const counts = (gpu: Gpu) => [gpu.pool.live, gpu.textures.live, gpu.tape.steps.length, gpu.tape.paused];

const assertAtStart = (gpu: Gpu, start: number[]) => assertEquals(counts(gpu), start);

for (const gemm of ["texture", "tile-32"] as const) {
  Deno.test(`a training step gives back every buffer but its results, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    const empty = counts(gpu);
    let weights = parameters(gpu);
    const losses: number[] = [];
    const start = counts(gpu);
    for (let step = 0; step < 4; step++) {
      const { loss, updated } = gpu.scope(() => {
        const loss = forward(gpu, weights);
        const grads = backward(loss);
        assertEquals(grads.size, weights.length);
        const updated = noGrad(gpu, () => weights.map((w) => add(w, scale(grads.get(w)!, -0.01))));
        return { loss, updated };
      });
      for (const w of weights) w.dispose();
      for (const w of updated) w.requiresGrad = true;
      weights = updated;
      losses.push((await loss.read())[0]!);
      loss.dispose();
      assertAtStart(gpu, start);
    }
    assert(losses.every((loss, i) => i === 0 || loss < losses[i - 1]!), `${losses}`);
    for (const w of weights) w.dispose();
    assertAtStart(gpu, empty);
  });
}

Deno.test("an error anywhere in a step frees every buffer", async () => {
  const gpu = await testGpu();
  const weights = parameters(gpu);
  const start = counts(gpu);
  const stop = () => {
    throw new RangeError("stop");
  };
  const step = (hook: Hook) => () => gpu.scope(() => backward(forward(gpu, weights, hook)));
  assertThrows(step(stop), RangeError, "stop");
  assertAtStart(gpu, start);
  assertThrows(step((x) => linear(x, weights[4]!)), TypeError, "Cannot apply a linear layer");
  assertAtStart(gpu, start);
  assertThrows(step(passing(stop)), RangeError, "stop");
  assertAtStart(gpu, start);
  const afterWork = passing((dy) => {
    gelu(scale(dy, 2));
    return stop();
  });
  assertThrows(step(afterWork), RangeError, "stop");
  assertAtStart(gpu, start);
  assertThrows(step(passing((dy) => scale(dy, 2).view([dy.size]))), TypeError, "Cannot pull back passing");
  assertAtStart(gpu, start);
  assertThrows(() => gpu.scope(() => backward(forward(gpu, weights).view([1, 1, 1]))), TypeError, "no input");
  assertAtStart(gpu, start);

  // The device is as good as new.
  const [loss, again] = [1, 2].map(() => gpu.scope(() => forward(gpu, weights)));
  assertEquals(await again!.read(), await loss!.read());
  for (const tensor of [...weights, loss!, again!]) tensor.dispose();
});

Deno.test("an error that the device reports leaves no buffer behind", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  const x = gpu.zeros([64]);
  const y = gpu.scope(() => {
    gpu.run(broken, { bind: { y: x }, workgroups: 1 });
    return scale(x, 2);
  });
  await assertRejects(() => y.read(), Error, "Cannot compile broken.wgsl:1:");
  for (const tensor of [x, y]) tensor.dispose();
  assertAtStart(gpu, start);
  await gpu.sync();
});

const broken = new Kernel("broken", "@group(0) @binding(0) var<storage> y: array<f32>; fn main() { y = 1 }");

Deno.test("a scope keeps the tensors of its result, however they are held", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  const made: Tensor[] = [];
  const make = () => {
    const tensor = gpu.zeros([2]);
    made.push(tensor);
    return tensor;
  };
  const kept = gpu.scope(() => {
    make();
    return { one: make(), many: [make(), null, [make()]], map: new Map([[make(), make()]]), number: 3 };
  });
  assertEquals(made.map((tensor) => tensor.disposed), [true, false, false, false, false, false]);
  assertEquals(kept.number, 3);
  const [, ...rest] = made;
  for (const tensor of rest) tensor.dispose();
  assertAtStart(gpu, start);
});

Deno.test("what an inner scope keeps belongs to the outer one", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  const kept = gpu.scope(() => {
    const [a, b] = gpu.scope(() => [gpu.tensor([1]), gpu.tensor([2])] as const);
    assertEquals([a.disposed, b.disposed], [false, false]);
    return b;
  });
  assertEquals([gpu.pool.live - start[0]!, ...await kept.read()], [1, 2]);
  kept.dispose();
  assertAtStart(gpu, start);
});

Deno.test("a tensor taken out of its scopes lives on", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  let state: Tensor | undefined;
  gpu.scope(() => {
    gpu.scope(() => state = gpu.keep(gpu.tensor([5])));
  });
  assertEquals([...await state!.read()], [5]);
  state!.dispose();
  assertAtStart(gpu, start);
});

Deno.test("a scope drops what it recorded and did not differentiate", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  gpu.scope(() => {
    const w = gpu.tensor([2]);
    w.requiresGrad = true;
    const before = scale(w, 3);
    const inner = gpu.scope(() => scale(w, 5));
    assertEquals([gpu.tape.steps.length, before.needsGrad, inner.needsGrad], [1, true, false]);
    assertThrows(() => backward(inner), TypeError, "no input of the output requires a gradient");
    const grads = backward(add(before, inner));
    assertEquals(grads.size, 1);
  });
  assertAtStart(gpu, start);
});

Deno.test("a scope must be synchronous", async () => {
  const gpu = await testGpu();
  const start = counts(gpu);
  assertThrows(
    () => gpu.scope(() => Promise.resolve(gpu.zeros([2]))),
    TypeError,
    "Cannot leave the scope as it must be synchronous: found a promise",
  );
  assertAtStart(gpu, start);
});
