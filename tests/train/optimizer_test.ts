import { assert, assertEquals, assertThrows } from "@std/assert";
import { linear } from "../../kernels/linear.ts";
import { matmul } from "../../kernels/matmul.ts";
import { sum } from "../../kernels/sum.ts";
import { parseSafetensors, toFloat32 } from "../../model/checkpoint/safetensors.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { gradientCheckpoint } from "../../tensor/gradient_checkpoint.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { splitIntoArenas } from "../../tensor/arena.ts";
import type { AdamWGroup } from "../../train/adamw_options.ts";
import { AdamW } from "../../train/optimizer.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { narrowGpu } from "../kernels/narrow.ts";
import { adamw, adamwState } from "../oracle/adamw.ts";
import { clipGradNorm } from "../oracle/clip_grad_norm.ts";
import { type Nd, nd, randomNd } from "../oracle/nd.ts";

/** Accumulates host gradients, in the order of the parameters; null for none. */
function accumulate(optimizer: AdamW, params: readonly Tensor[], gradients: readonly (Nd | null)[]): void {
  const { gpu } = params[0]!;
  gpu.scope(() => {
    const grads = new Map<Tensor, Tensor>();
    gradients.forEach((g, i) => {
      if (g) grads.set(params[i]!, upload(gpu, g));
    });
    optimizer.accumulate(grads);
  });
}

/** Three groups over parameters of odd sizes, the last of which goes up. */
function groupsOf(params: readonly Tensor[]): AdamWGroup[] {
  return [
    { params: [params[0]!, params[1]!], lr: 1e-2, weightDecay: 0.1 },
    { params: [params[2]!], lr: 2e-3 },
    { params: [params[3]!, params[4]!], lr: 5e-2, maximize: true },
  ];
}
const GROUPS = [
  { members: [0, 1], lr: 1e-2, weightDecay: 0.1 },
  { members: [2], lr: 2e-3 },
  { members: [3, 4], lr: -5e-2 },
];

async function followOracle(gpu: Gpu, shapes: readonly (readonly number[])[]): Promise<void> {
  const liveBefore = gpu.pool.live;
  let expected = adamwState(shapes.map((shape, i) => randomNd(shape, i + 1)));
  const params = expected.parameters.map((p) => upload(gpu, p));
  const optimizer = new AdamW(groupsOf(params));
  for (let step = 0; step < 4; step++) {
    const lrScale = (step + 1) / 4;
    const draw = (part: number) =>
      shapes.map((shape, i) => randomNd(shape, 100 * step + 10 * part + i, 0.1 ** step));
    // The second micro-batch has nothing for parameter 1, and step 2 nothing for parameter 3.
    const first = draw(0).map((g, i) => step === 2 && i === 3 ? null : g);
    const second = draw(1).map((g, i) => i === 1 || step === 2 && i === 3 ? null : g);
    accumulate(optimizer, params, first);
    accumulate(optimizer, params, second);
    optimizer.step({ lrScale, maxGradNorm: 2 });
    const sums = shapes.map((shape, i) =>
      nd(shape, nd(shape).data.map((_, j) => (first[i]?.data[j] ?? 0) + (second[i]?.data[j] ?? 0)))
    );
    const { norm, gradients } = clipGradNorm(sums, 2);
    expected = adamw(expected, gradients, {
      groups: GROUPS.map((group) => ({ ...group, lr: group.lr * lrScale })),
    });
    assertClose(`norm of step ${step}`, await optimizer.gradNorm.read(), [norm]);
  }
  const state = optimizer.state();
  for (const [i, param] of params.entries()) {
    const { expAvg, expAvgSq } = state.get(param)!;
    assertEquals([param.shape, expAvg.shape, expAvgSq.shape], [shapes[i]!, shapes[i]!, shapes[i]!]);
    assertClose(`parameter ${i}`, await param.read(), expected.parameters[i]!.data);
    assertClose(`expAvg of ${i}`, await expAvg.read(), expected.expAvg[i]!.data);
    assertClose(`expAvgSq of ${i}`, await expAvgSq.read(), expected.expAvgSq[i]!.data, { atol: 1e-9 });
  }
  assertEquals(optimizer.steps, 4);
  optimizer.dispose();
  // What is left are the buffers of the three groups' parameters.
  assertEquals(gpu.pool.live, liveBefore + 3);
  for (const param of params) param.dispose();
  assertEquals(gpu.pool.live, liveBefore, "live buffers");
}

Deno.test("AdamW follows the oracle over groups, micro-batches and clipping", async () => {
  await followOracle(await testGpu(), [[3, 5], [64], [65], [], [2, 3, 4]]);
});

Deno.test("the norm before a step is that of the gradients as they are, and the step's", async () => {
  const gpu = await testGpu();
  const params = [[3, 5], [64]].map((shape, i) => upload(gpu, randomNd(shape, i + 1)));
  using optimizer = new AdamW([{ params, lr: 1e-2 }]);
  const add = (seed: number) => {
    const grads = params.map((param, i) => randomNd([...param.shape], seed + i));
    accumulate(optimizer, params, grads);
    return grads;
  };
  const first = add(10);
  assertClose("norm of a part", [await optimizer.norm()], [clipGradNorm(first, Infinity).norm]);
  const second = add(20);
  const sums = first.map(({ shape, data }, i) => nd(shape, data.map((x, j) => x + second[i]!.data[j]!)));
  const { norm } = clipGradNorm(sums, Infinity);
  assertClose("norm of both", [await optimizer.norm()], [norm]);
  optimizer.step();
  assertClose("norm of the step", await optimizer.gradNorm.read(), [norm]);
  const third = add(30);
  assertClose("norm of the next", [await optimizer.norm()], [clipGradNorm(third, Infinity).norm]);
  for (const param of params) param.dispose();
});

Deno.test("AdamW follows the oracle where groups exceed a binding", async () => {
  await followOracle(await narrowGpu(), [[150, 111], [7], [5], [3], [1]]);
});

Deno.test("AdamW agrees with every tensor of adamw.safetensors", async () => {
  const gpu = await testGpu();
  const { tensors, metadata } = parseSafetensors(
    Deno.readFileSync(new URL("../testdata/adamw.safetensors", import.meta.url)),
  );
  const read = new Set<string>();
  const fixture = (name: string) => {
    read.add(name);
    return nd(tensors.get(name)!.shape, toFloat32(tensors.get(name)!));
  };
  const names = ["p", "log_alpha", "lambda"];
  const params = names.map((name) => upload(gpu, fixture(`${name}0`)));
  const [p, logAlpha, lambda] = params as [Tensor, Tensor, Tensor];
  const [beta1, beta2] = metadata.betas!.split(",").map(Number) as [number, number];
  const common = { betas: [beta1, beta2], eps: Number(metadata.eps) } as const;
  using optimizer = new AdamW([
    { ...common, params: [p], lr: 2e-3, weightDecay: 0.01 },
    { ...common, params: [logAlpha], lr: 0.02 },
    { ...common, params: [lambda], lr: 0.02, maximize: true },
  ]);
  const close = (name: string, found: ArrayLike<number>) =>
    assertClose(name, found, fixture(name).data, { atol: 0 });
  for (let step = 0; step < 3; step++) {
    const at = `step${step}`;
    accumulate(optimizer, params, names.map((name) => fixture(`${at}.grad.${name}`)));
    optimizer.step({
      lrScale: fixture(`${at}.lr_scale`).data[0]!,
      maxGradNorm: Number(metadata.clip_norm),
    });
    close(`${at}.grad_norm`, await optimizer.gradNorm.read());
    for (const [i, name] of names.entries()) {
      const { expAvg, expAvgSq } = optimizer.state().get(params[i]!)!;
      close(`${at}.${name}`, await params[i]!.read());
      close(`${at}.${name}.exp_avg`, await expAvg.read());
      close(`${at}.${name}.exp_avg_sq`, await expAvgSq.read());
    }
  }
  assertEquals([...tensors.keys()].filter((name) => !read.has(name)), []);
  for (const param of params) param.dispose();
});

Deno.test("AdamW moves parameters and leaves their handles as they are", async () => {
  const gpu = await testGpu();
  using a = gpu.tensor([1, 2, 3, 4], [2, 2]);
  using b = gpu.tensor([1, 0, 0, 1], [2, 2]);
  a.requiresGrad = true;
  using before = gpu.scope(() => matmul(a, b));
  using optimizer = new AdamW([{ params: [a, b], lr: 1 }]);
  assert(a.requiresGrad && a.storage === b.storage);
  assertEquals([...await a.read(), ...await b.read()], [1, 2, 3, 4, 1, 0, 0, 1]);
  accumulate(optimizer, [a, b], [nd([2, 2], [1, 1, -1, -1]), null]);
  optimizer.step();
  using after = gpu.scope(() => matmul(a, b));
  assertClose("before", await before.read(), [1, 2, 3, 4]);
  assertClose("after", await after.read(), [0, 1, 4, 5]);
});

Deno.test("AdamW skips a step whose gradient is not finite", async () => {
  const gpu = await testGpu();
  using w = gpu.tensor([1, 2, 3]);
  using optimizer = new AdamW([{ params: [w], lr: 0.1, weightDecay: 0.1 }]);
  accumulate(optimizer, [w], [nd([3], [1, 1, 1])]);
  optimizer.step();
  const moments = optimizer.state().get(w)!;
  const read =
    async () => [...await w.read(), ...await moments.expAvg.read(), ...await moments.expAvgSq.read()];
  const before = await read();
  for (const odd of [NaN, Infinity]) {
    accumulate(optimizer, [w], [nd([3], [0, odd, 1])]);
    optimizer.step({ maxGradNorm: 1 });
    assertEquals(Number.isFinite((await optimizer.gradNorm.read())[0]), false);
    assertEquals(await read(), before);
  }
  accumulate(optimizer, [w], [nd([3], [1, 1, 1])]);
  optimizer.step();
  const after = await w.read();
  assert(after.every((x, i) => x < before[i]!), `${after}`);
  assertEquals(optimizer.steps, 4);
});

Deno.test("AdamW resumes from a saved state", async () => {
  const gpu = await testGpu();
  const start = randomNd([5], 1);
  const draw = (step: number) => [randomNd([5], 20 + step)];
  using w = upload(gpu, start);
  using optimizer = new AdamW([{ params: [w], lr: 0.1 }]);
  for (let step = 0; step < 2; step++) {
    accumulate(optimizer, [w], draw(step));
    optimizer.step();
  }
  const { expAvg, expAvgSq } = optimizer.state().get(w)!;
  const saved = { w: await w.read(), expAvg: await expAvg.read(), expAvgSq: await expAvgSq.read() };

  using again = gpu.tensor(saved.w);
  using resumed = new AdamW([{ params: [again], lr: 0.1 }]);
  gpu.scope(() => {
    const moments = resumed.state().get(again)!;
    gpu.copy(gpu.tensor(saved.expAvg), moments.expAvg);
    gpu.copy(gpu.tensor(saved.expAvgSq), moments.expAvgSq);
  });
  resumed.steps = optimizer.steps;
  for (const [each, param] of [[optimizer, w], [resumed, again]] as const) {
    accumulate(each, [param], draw(2));
    each.step();
  }
  assertEquals(await again.read(), await w.read());
});

Deno.test("arenas hold what fits them, in order", () => {
  assertEquals(splitIntoArenas([64, 1, 65, 1000, 3, 3], 256), [[0, 1, 2], [3], [4, 5]]);
  assertEquals(splitIntoArenas([], 256), []);
});

Deno.test("AdamW refuses what it cannot optimize", async () => {
  const gpu = await testGpu();
  const liveBefore = gpu.pool.live;
  gpu.scope(() => {
    const w = gpu.zeros([2, 3]);
    const fails = (kind: typeof TypeError | typeof RangeError, message: string, call: () => void) =>
      assertThrows(call, kind, message);
    const make = (options: Partial<AdamWGroup>) => new AdamW([{ params: [w], lr: 1, ...options }]);
    fails(TypeError, "there must be a parameter", () => new AdamW([]));
    fails(TypeError, "parameter 0 must be f32: found i32", () => make({ params: [gpu.zeros([1], "i32")] }));
    fails(TypeError, "once: parameter 1, [2, 3], came before", () => make({ params: [w, w] }));
    fails(RangeError, "lr must be a number from 0: groups[0] has -1", () => make({ lr: -1 }));
    fails(RangeError, "eps must be above 0: groups[0] has 0", () => make({ eps: 0 }));
    fails(RangeError, "betas[1] must be from 0 to below 1: groups[0] has 1", () => make({ betas: [0, 1] }));
    fails(RangeError, "weightDecay must be a number from 0", () => make({ weightDecay: NaN }));
    const optimizer = make({});
    fails(RangeError, "a gradient must have been accumulated", () => optimizer.step());
    fails(TypeError, "the gradient must be [2, 3]: found [3, 2]", () => {
      optimizer.accumulate(new Map([[w, gpu.zeros([3, 2])]]));
    });
    optimizer.accumulate(new Map([[w, gpu.zeros([2, 3])], [gpu.zeros([1]), gpu.zeros([1])]]));
    fails(RangeError, "lrScale must be a number from 0: found -1", () => optimizer.step({ lrScale: -1 }));
    fails(RangeError, "maxGradNorm must be above 0: found 0", () => optimizer.step({ maxGradNorm: 0 }));
  });
  assertEquals(gpu.pool.live, liveBefore);
});

Deno.test("gradients written to their slot are those that are copied there", async () => {
  const gpu = await testGpu();
  const gradients = async (slots: boolean) => {
    const live = gpu.pool.live;
    const [w, v, b, x] = [[5, 6], [6, 6], [6], [3, 5]].map((shape, i) => upload(gpu, randomNd(shape, i + 1)));
    const params = [w!, v!, b!];
    for (const param of params) param.requiresGrad = true;
    const optimizer = new AdamW([{ params, lr: 1 }]);
    // v is used twice, once in a part that is computed again; the second batch adds to what the first wrote.
    for (let batch = 0; batch < 2; batch++) {
      gpu.scope(() => {
        const h = linear(matmul(x!, w!), v!, b!, { gelu: true });
        const y = gradientCheckpoint(h, [v!, b!], (h) => linear(linear(h, v!, b!), v!, b!));
        backward(sum(y), {
          sink: slots
            ? optimizer
            : { slot: () => null, take: (tensor, part) => optimizer.take(tensor, part) },
        });
      });
    }
    optimizer.step();
    const numbers = await Promise.all([...params, optimizer.gradNorm].map((tensor) => tensor.read()));
    for (const one of [optimizer, ...params, x!]) one.dispose();
    assertEquals(gpu.pool.live, live);
    return numbers;
  };
  assertEquals(await gradients(true), await gradients(false));
});
