import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { DeviceErrors } from "../../tensor/device_errors.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { Kernel } from "../../tensor/kernel.ts";
import { testGpu } from "../gpu.ts";
import { withLimitedMemory } from "./failing_device.ts";

const shader = (body: string) =>
  `@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${body}
}`;

Deno.test("a shader that does not compile is an error of the next wait, with its place and line", async () => {
  const gpu = await testGpu();
  using y = gpu.zeros([64]);
  const broken = new Kernel("broken", shader("y[id.x] = missing(1.0);"));
  gpu.run(broken, { bind: { y }, workgroups: 1 });
  const error = await assertRejects(() => y.read(), Error);
  assertStringIncludes(error.message, "Cannot compile broken.wgsl:5:");
  assertStringIncludes(error.message, "\n  y[id.x] = missing(1.0);");
  assert(/^Cannot compile broken\.wgsl:5:(3|13) as WGSL: .*missing/.test(error.message), error.message);
  await gpu.sync(); // thrown once
  using z = gpu.zeros([64]); // y may have been cleared by the submission that failed, or not
  assertEquals([...await z.read()], new Array(64).fill(0));
});

Deno.test("an entry point that cannot be built is an error that names the pipeline", async () => {
  const gpu = await testGpu();
  using y = gpu.zeros([64]);
  const wide = new Kernel(
    "wide",
    shader("y[id.x] = 1.0;").replace("64", "WIDTH").replace("@group", "override WIDTH: u32 = 1;\n@group"),
  );
  gpu.run(wide, { bind: { y }, constants: { WIDTH: 1 << 20 }, workgroups: 1 });
  const error = await assertRejects(() => gpu.sync(), Error);
  assertStringIncludes(error.message, "Cannot compile wide.main WIDTH=1048576 as the device refused: ");
  await gpu.sync();
});

Deno.test("what the device refuses is an error of the next wait", async () => {
  const gpu = await testGpu();
  using y = gpu.zeros([64]);
  const kernel = new Kernel("aligned", shader("y[id.x] = 1.0;"));
  gpu.run(kernel, { bind: { y: { tensor: y, start: 1 } }, workgroups: 1 });
  const error = await assertRejects(() => gpu.sync(), Error);
  assertStringIncludes(error.message, "Cannot bind the resources of aligned.main as the device refused: ");
  await gpu.sync();
});

Deno.test("a lost device is an error of the next call, whichever it is", async () => {
  const gpu = await requestGpu();
  const x = gpu.tensor([1, 2]);
  const y = scale(x, 2);
  gpu.device.destroy();
  const lost = " as the device was lost: destroyed";
  await assertRejects(() => y.read(), Error, `Cannot read a tensor${lost}`);
  assertThrows(() => gpu.tensor([1]), Error, `Cannot make a tensor${lost}`);
  assertThrows(() => gpu.zeros([1]), Error, `Cannot make a tensor${lost}`);
  assertThrows(() => scale(x, 2), Error, lost);
  await assertRejects(() => gpu.sync(), Error, `Cannot wait${lost}`);
  await assertRejects(() => x.read(), Error, `Cannot read a tensor${lost}`);
});

Deno.test("a device that is lost while it is waited for rejects the wait", async () => {
  const gpu = await requestGpu();
  using x = gpu.tensor([1, 2]);
  using y = scale(x, 2);
  const [reading, waiting] = [y.read(), gpu.sync()];
  gpu.destroy();
  const outcomes = await Promise.allSettled([reading, waiting]);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue; // it was done before the loss
    assertStringIncludes(`${outcome.reason.message}`, "as the device was destroyed");
  }
  await assertRejects(() => gpu.sync(), Error, "Cannot wait as the device was destroyed");
});

Deno.test("a disposed device is destroyed once, and later calls report it", async () => {
  let x;
  {
    using gpu = await requestGpu();
    x = gpu.tensor([1, 2]);
    await x.read();
  }
  const { gpu } = x;
  gpu.destroy();
  gpu[Symbol.dispose]();
  const why = " as the device was destroyed";
  await assertRejects(() => x.read(), Error, `Cannot read a tensor${why}`);
  await assertRejects(() => gpu.sync(), Error, `Cannot wait${why}`);
  assertThrows(() => gpu.empty([1]), Error, `Cannot make a tensor${why}`);
  assertThrows(() => scale(x, 2), Error, why);
  x.dispose();
});

/** A device whose error scopes return the given messages, one after the other, innermost first. */
function fakeDevice(
  answers: (string | null)[],
): { device: GPUDevice; scopes: string[]; report(message: string): void } {
  const scopes: string[] = [];
  const target = new EventTarget();
  const device = Object.assign(target, {
    lost: new Promise(() => {}),
    pushErrorScope: (kind: string) => scopes.push(kind),
    popErrorScope() {
      scopes.pop();
      const message = answers.shift();
      return Promise.resolve(message ? { message } : null);
    },
  }) as unknown as GPUDevice;
  const report = (message: string) => {
    target.dispatchEvent(Object.assign(new Event("uncapturederror"), { error: { message } }));
  };
  return { device, scopes, report };
}

Deno.test("memory that runs out is an error with the label of the call", async () => {
  const { device, scopes } = fakeDevice([null, " not enough ", null]);
  const errors = new DeviceErrors(device);
  const close = errors.guard("allocate 256 bytes");
  assertEquals(scopes, ["validation", "out-of-memory", "internal"]);
  close();
  assertEquals(scopes, []);
  await assertRejects(
    () => errors.settle(),
    Error,
    "Cannot allocate 256 bytes as memory ran out: not enough",
  );
  await errors.settle();
});

Deno.test("the first error is thrown, what follows from it is not", async () => {
  const { device, report } = fakeDevice([null, null, "bad size", null, null, "bad buffer"]);
  const errors = new DeviceErrors(device);
  errors.guard("make a buffer")();
  errors.guard("bind it")();
  await assertRejects(() => errors.settle(), Error, "Cannot make a buffer as the device refused: bad size");
  await errors.settle();
  report("out of order");
  await assertRejects(
    () => errors.settle(),
    Error,
    "Cannot compute as the device reports an error: out of order",
  );
});

Deno.test("memory that runs out at a binding that nothing reads is named as such", async () => {
  const declared = "@group(0) @binding(1) var<storage, read> x: array<f32>;\n";
  const kernel = new Kernel("unread", declared + shader("if (id.x > 99) { y[0] = x[0]; }"));
  const work = async (runs: boolean) => {
    using gpu = await requestGpu();
    const y = gpu.zeros([64]);
    const filler = gpu.device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE });
    if (runs) gpu.run(kernel, { bind: { x: null, y }, workgroups: 1 });
    filler.destroy(); // for what the wait needs
    await gpu.sync();
  };
  const { peakBytes } = await withLimitedMemory(Infinity, () => work(false));
  const error = await assertRejects(() => withLimitedMemory(peakBytes, () => work(true)), Error);
  assertStringIncludes(error.message, "Cannot allocate 256 bytes as memory ran out: ");
});
