import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { gelu } from "../../kernels/gelu.ts";
import { matmul } from "../../kernels/matmul.ts";
import { scale } from "../../kernels/scale.ts";
import { accumulate } from "../../tensor/accumulate.ts";
import { fill } from "../../tensor/fill.ts";
import * as flags from "../../tensor/flags.ts";
import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import { Kernel } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { assertNoHalf, testGpu } from "../gpu.ts";

const constant = (n: number, value: number) => new Float32Array(n).fill(value);

/** Asserts that all elements of a tensor are equal to one value. */
async function assertAll(tensor: Tensor, value: number): Promise<void> {
  const found = await tensor.read();
  assertEquals(found.find((number) => number !== value), undefined);
}

/** Runs a test and asserts that it leaves no buffer behind. */
async function balanced(test: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await testGpu();
  const lent = () => [gpu.pool.live, gpu.textures.live];
  const before = lent();
  await test(gpu);
  assertEquals(lent(), before);
}

Deno.test("tensors hold what they were given, of both types and any shape", () =>
  balanced(async (gpu) => {
    using floats = gpu.tensor([1.5, -2, 3]);
    using matrix = gpu.tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    using integers = gpu.tensor(Int32Array.of(-1, 2 ** 31 - 1), [2, 1]);
    using scalar = gpu.tensor([7], []);
    using nothing = gpu.tensor([], [0, 3]);
    using part = gpu.tensor(new Float32Array(8).fill(9).subarray(2, 5));
    assertEquals([floats.shape, matrix.shape, scalar.shape, nothing.shape, part.shape], [[3], [2, 3], [], [
      0,
      3,
    ], [3]]);
    assertEquals([floats.dtype, integers.dtype], ["f32", "i32"]);
    assertEquals(await floats.read(), Float32Array.of(1.5, -2, 3));
    assertEquals(await matrix.read(), Float32Array.of(1, 2, 3, 4, 5, 6));
    assertEquals(await integers.read(), Int32Array.of(-1, 2 ** 31 - 1));
    assertEquals(await scalar.read(), Float32Array.of(7));
    assertEquals(await nothing.read(), new Float32Array(0));
    assertEquals(await part.read(), new Float32Array(3).fill(9));
  }));

Deno.test("f16 tensors hold values of 11 bits, an odd number of them too", () =>
  balanced(async (gpu) => {
    if (!gpu.half) return assertNoHalf(gpu);
    using x = gpu.tensor(Float16Array.of(1, -2.5, 1 / 3), [3, 1]);
    using part = gpu.tensor(Float16Array.of(1, 2, 3, 4).subarray(1, 3));
    using zeros = gpu.zeros([7], "f16");
    using copy = gpu.zeros([3], "f16");
    using floats = gpu.zeros([3]);
    gpu.copy(x, copy);
    assertEquals([x.dtype, x.bytes, zeros.bytes], ["f16", 6, 14]);
    assertEquals(await x.read(), Float32Array.of(1, -2.5, Math.f16round(1 / 3)));
    assertEquals(await part.read(), Float32Array.of(2, 3));
    assertEquals(await zeros.read(), new Float32Array(7));
    assertEquals(await copy.read(), await x.read());
    assertThrows(() => gpu.copy(x, floats), TypeError, "sizes must be equal: [3, 1] of f16 to [3]");
  }));

Deno.test("zeros are zeros in a used buffer, and fill fills", () =>
  balanced(async (gpu) => {
    gpu.tensor(constant(300, 5)).dispose();
    using zeros = gpu.zeros([3, 100]);
    using integers = gpu.zeros([2], "i32");
    using filled = fill(gpu, [1000], -1.25);
    await assertAll(zeros, 0);
    assertEquals(await integers.read(), new Int32Array(2));
    await assertAll(filled, -1.25);
  }));

Deno.test("views share the elements, which live as long as one of them", () =>
  balanced(async (gpu) => {
    const x = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const view = x.view([3, 2]);
    x.dispose();
    x.dispose(); // of no effect
    assertEquals([view.shape, [...await view.read()]], [[3, 2], [1, 2, 3, 4, 5, 6]]);
    assertThrows(
      () => view.view([4]),
      TypeError,
      "Cannot reshape as sizes must be equal: [3, 2] to [4]",
    );
    view.dispose();
    assertThrows(
      () => view.storage,
      ReferenceError,
      "Cannot use a tensor as it was disposed: its shape was [3, 2]",
    );
  }));

Deno.test("an upload does not reach what pending commands read", () =>
  balanced(async (gpu) => {
    const x = gpu.tensor(constant(3000, 2));
    using y = scale(x, 3);
    x.dispose();
    using other = gpu.tensor(constant(3000, 100)); // must not take the buffer of x
    await assertAll(y, 6);
    await assertAll(other, 100);
  }));

Deno.test("pending commands of any kind do not overwrite an upload, nor read it", () =>
  balanced(async (gpu) => {
    const n = 3000;
    const commands: ((x: Tensor) => Tensor)[] = [
      (x) => scale(x, 3),
      () => gpu.zeros([n]),
      (x) => {
        const copy = gpu.empty([n]);
        gpu.copy(x, copy);
        return copy;
      },
    ];
    for (const command of commands) {
      const x = gpu.tensor(constant(n, 2));
      await gpu.sync();
      command(x).dispose(); // writes what is free again
      using upload = gpu.tensor(constant(n, 7));
      await assertAll(upload, 7);
      x.dispose();
    }
    const x = gpu.tensor(constant(n, 2));
    using copy = gpu.tensor(constant(n, 1));
    await gpu.sync();
    gpu.copy(x, copy);
    x.dispose();
    using upload = gpu.tensor(constant(n, 7));
    await assertAll(copy, 2);
    await assertAll(upload, 7);
  }));

Deno.test("buffers are reused in a loop of steps, uploads included", () =>
  balanced(async (gpu) => {
    const step = async (value: number) => {
      using x = gpu.tensor(constant(5000, value));
      using y = scale(x, 2);
      using z = scale(y, 2);
      await assertAll(z, 4 * value);
    };
    for (let i = 0; i < 3; i++) await step(i);
    const bytes = gpu.pool.allBytes;
    for (let i = 0; i < 10; i++) await step(i);
    assertEquals(gpu.pool.allBytes, bytes);
  }));

Deno.test("tensors are read at once, each as it was when asked", () =>
  balanced(async (gpu) => {
    const x = gpu.tensor(constant(1000, 1));
    using y = gpu.tensor(constant(70_000, 2));
    using one = gpu.tensor(constant(1000, 1));
    const before = x.read();
    const large = y.read();
    const sum = accumulate(x, one);
    const [first, second, third, again] = await Promise.all([before, large, sum.read(), sum.read()]);
    assertEquals([first[999], second[69_999], third[999], again[0]], [1, 2, 2, 2]);
    sum.dispose();
  }));

Deno.test("memory that no tensor uses is freed, after the commands that use it have run", () =>
  balanced(async (gpu) => {
    const x = gpu.tensor(constant(5000, 1));
    using y = gpu.tensor(constant(5000, 2));
    using sum = accumulate(y.view(), x);
    x.dispose();
    gpu.trim();
    assertEquals(gpu.pool.allBytes, gpu.pool.liveBytes);
    assertEquals((await sum.read())[4999], 3);
  }));

Deno.test("accumulate adds in place, unless other tensors share the storage", () =>
  balanced(async (gpu) => {
    using x = gpu.tensor([1, 2]);
    const own = gpu.tensor([10, 20]);
    const sum = accumulate(own, x);
    assertEquals(sum, own);
    using view = sum.view();
    using another = accumulate(sum, x);
    assertEquals([[...await view.read()], [...await another.read()]], [[11, 22], [12, 24]]);
  }));

Deno.test("more dispatches than a submission's Params hold keep their own", () =>
  balanced(async (gpu) => {
    const fields = Array.from({ length: 64 }, (_, i) => `p${i}`);
    const kernel = new Kernel(
      "many",
      `struct Params { ${fields.map((name) => `${name}: u32`)} }
       @group(0) @binding(0) var<storage, read_write> y: array<u32>;
       @group(0) @binding(1) var<uniform> params: Params;
       @compute @workgroup_size(1) fn main() { y[params.p0] += params.p63 + params.p31; }`,
    );
    using y = gpu.zeros([3000], "i32"); // 750 KiB of Params
    for (let i = 0; i < 3000; i++) {
      const params = Object.fromEntries(fields.map((name) => [name, i]));
      gpu.run(kernel, { bind: { y }, params, workgroups: 1 });
    }
    assertEquals((await y.read()).findIndex((number, i) => number !== 2 * i), -1);
  }));

Deno.test("workgroups past a dimension's limit fold into rows", async () => {
  const gpu = await testGpu({ limits: { workgroups: 7 } });
  using x = gpu.tensor(Float32Array.from({ length: 256 * 47 + 3 }, (_, i) => i));
  using y = scale(x, 2);
  assertEquals((await y.read()).findIndex((number, i) => number !== 2 * i), -1);
  assertThrows(
    () => gpu.run(double, { bind: { y }, params: { n: 0 }, workgroups: 50 }),
    RangeError,
    "Cannot run double as a dispatch has at most 7² workgroups: 50",
  );
});

Deno.test("WebGPU may be passed in, and an adapter that it lacks is an error", async () => {
  const asked: unknown[] = [];
  const webgpu = {
    requestAdapter: (options: GPURequestAdapterOptions) => {
      asked.push(options);
      return Promise.resolve(null);
    },
  } as unknown as GPU;
  const options = { webgpu, powerPreference: "low-power" } as const;
  await assertRejects(() => requestGpu(options), Error, "No WebGPU adapter found");
  assertEquals(asked, [{ powerPreference: "low-power" }]);
});

Deno.test("flags are those of WebGPU", () => {
  const globals = globalThis as unknown as Record<string, Record<string, number>>;
  for (const [name, values] of Object.entries(flags)) {
    const theirs = globals[`GPU${name}`]!;
    for (const [flag, value] of Object.entries(values)) assertEquals(value, theirs[flag], `${name}.${flag}`);
  }
});

Deno.test("limits can be lowered, not raised", async () => {
  const { limits, device } = await testGpu({ limits: { bindingBytes: 2 ** 50, workgroups: 7 } });
  assertEquals(limits.bindingBytes, device.limits.maxStorageBufferBindingSize);
  assertEquals([limits.workgroups, limits.texture], [7, device.limits.maxTextureDimension2D]);
});

Deno.test("a profile has the time of each kernel", async () => {
  const gpu = await requestGpu({ profile: true });
  assert(gpu.profiler, "the adapter has no timestamps");
  using x = gpu.tensor(constant(100_000, 1));
  using y = scale(x, 2);
  using z = scale(y, 2);
  using g = gelu(z);
  await g.read();
  const counts = [...gpu.profiler.times].map(([label, { count, ms }]) => [label, count, ms >= 0]);
  assertEquals(counts.length, 2);
  assertEquals(counts.map(([, count, valid]) => [count, valid]), [[2, true], [1, true]]);
  gpu.destroy();
});

Deno.test("a tensor's extents must be whole numbers, and its size that of its data", async () => {
  const gpu = await testGpu();
  for (const shape of [[1.5, 2], [-1, -3], [NaN], [Infinity]]) {
    const message = `Cannot make a tensor as its extents must be whole numbers: [${shape.join(", ")}]`;
    assertThrows(() => gpu.empty(shape), RangeError, message);
    assertThrows(() => gpu.zeros(shape), RangeError, message);
    assertThrows(() => gpu.tensor([1, 2, 3], shape), RangeError, message);
  }
  assertThrows(
    () => gpu.tensor([1, 2, 3], [2, 2]),
    TypeError,
    "Cannot make a tensor as its size must be that of the data: [2, 2] for 3 elements",
  );
  using x = gpu.zeros([2]);
  using y = gpu.zeros([3]);
  assertThrows(() => gpu.copy(x, y), TypeError, "Cannot copy as sizes must be equal: [2] to [3]");
});

Deno.test("disposed tensors are refused", () =>
  balanced(async (gpu) => {
    using x = gpu.zeros([2, 2]);
    const gone = gpu.zeros([2, 2]);
    gone.dispose();
    const message = "Cannot use a tensor as it was disposed: its shape was [2, 2]";
    gpu.scope(() => {
      assertThrows(() => gelu(gone), ReferenceError, message);
      assertThrows(() => matmul(x, gone), ReferenceError, message);
      assertThrows(() => gone.view(), ReferenceError, message);
      assertThrows(() => gpu.copy(gone, x), ReferenceError, message);
    });
    await gone.read().then(() => assert(false), (error) => assertEquals(error.message, message));
  }));

Deno.test("tensors of another device are refused", async () => {
  const gpu = await testGpu();
  const other = await testGpu({ gemm: "tile-32" });
  const [live, liveOther] = [gpu.pool.live, other.pool.live];
  {
    using x = gpu.zeros([2, 2]);
    using foreign = other.zeros([2, 2]);
    gpu.scope(() => {
      assertThrows(
        () => matmul(x, foreign),
        TypeError,
        "Cannot multiply as all tensors must be on one device: found two",
      );
      assertThrows(
        () => gpu.run(double, { bind: { y: foreign }, params: { n: 4 }, workgroups: 1 }),
        TypeError,
        "Cannot run double.main as y must be of the same device",
      );
    });
  }
  assertEquals([gpu.pool.live, other.pool.live], [live, liveOther]);
});

const double = new Kernel(
  "double",
  `struct Params { n: u32 }
   @group(0) @binding(0) var<storage, read_write> y: array<f32>;
   @group(0) @binding(1) var<uniform> params: Params;
   @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.n) { y[id.x] *= 2.0; }
   }`,
);

Deno.test("bindings and Params that do not fit the shader are refused by name, and nothing runs", () =>
  balanced(async (gpu) => {
    using y = gpu.tensor(constant(4, 1));
    const [params, workgroups] = [{ n: 4 }, 1];
    assertThrows(
      () => gpu.run(double, { bind: {}, params, workgroups }),
      TypeError,
      "Cannot run double.main as it binds y: none is given",
    );
    assertThrows(
      () => gpu.run(double, { bind: { y, x: y }, params, workgroups }),
      TypeError,
      "Cannot run double.main as it does not bind x",
    );
    assertThrows(
      () => gpu.run(double, { bind: { y }, params: { n: 4, m: 4 }, workgroups }),
      TypeError,
      "Cannot run double as Params has no such field: m",
    );
    assertThrows(
      () => gpu.run(double, { bind: { y }, workgroups }),
      TypeError,
      "Cannot run double as Params.n must be u32: found undefined",
    );
    assertThrows(
      () => gpu.run(double, { entry: "triple", bind: { y }, params, workgroups }),
      TypeError,
      'Cannot run double as it has no entry point of that name: "triple"',
    );
    gpu.run(double, { bind: { y }, params, workgroups: 0 }); // nothing to do
    await assertAll(y, 1);
    gpu.run(double, { bind: { y }, params, workgroups });
    await assertAll(y, 2);
  }));

Deno.test("a binding past the adapter's limit is refused with its size", async () => {
  const gpu = await testGpu({ limits: { bindingBytes: 65536 } });
  using y = gpu.empty([2, 16384]);
  assertThrows(
    () => gpu.run(double, { bind: { y }, params: { n: 1 }, workgroups: 1 }),
    RangeError,
    "Cannot bind y of double.main as the adapter binds at most 65536 bytes: [2, 16384] needs 131072",
  );
  gpu.run(double, { bind: { y: { tensor: y, start: 16384 } }, params: { n: 1 }, workgroups: 1 });
  await gpu.sync();
});
