import { assert, assertEquals } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { readsEarly } from "../../tensor/early_read.ts";
import { StagingBuffers } from "../../tensor/staging.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";

const gpu = await testGpu();

Deno.test("successive reads return what was computed last, of every size", async () => {
  for (const size of [1, 3, 64, 1000, 400_000]) { // the last is not kept for reads to come
    const found: number[] = [];
    using first = gpu.tensor(new Float32Array(size).fill(1));
    let x: Tensor = first.view();
    for (let i = 0; i < 12; i++) {
      const next = scale(x, 2);
      x.dispose();
      x = next;
      const values = await x.read();
      assertEquals(values.length, size);
      found.push(values[0]!, values.at(-1)!);
    }
    x.dispose();
    assertEquals(found, Array.from({ length: 24 }, (_, i) => 2 ** (1 + Math.floor(i / 2))));
  }
});

Deno.test("values that were read do not change while the next are read", async () => {
  const kept: Float32Array[] = [];
  for (let i = 0; i < 8; i++) {
    using x = gpu.tensor([i, -i]);
    kept.push(await x.read() as Float32Array);
  }
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(kept.map(([a]) => a), [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("a loop of reads holds a bounded number of buffers", async () => {
  const { createBuffer } = GPUDevice.prototype;
  let made = 0;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (descriptor.label === "read-back") made++;
    return createBuffer.call(this, descriptor);
  };
  try {
    using x = gpu.tensor([1, 2]);
    for (let i = 0; i < 2000; i++) await x.read();
    assert(made <= 600, `${made}`);
  } finally {
    GPUDevice.prototype.createBuffer = createBuffer;
  }
});

Deno.test("waits and reads may be concurrent", async () => {
  using x = gpu.tensor([1, 2]);
  using y = scale(x, 3);
  const [, values] = await Promise.all([gpu.sync(), y.read(), gpu.sync()]);
  assertEquals(values, Float32Array.of(3, 6));
});

Deno.test("a loop of reads lets timers and signals through", async () => {
  using x = gpu.tensor([1]);
  let rang = false;
  setTimeout(() => rang = true);
  for (let i = 0; !rang && i < 10_000; i++) await x.read();
  assert(rang, "the timer had to wait for the reads");
});

Deno.test("a device may be destroyed right after a read", async () => {
  const other = await requestGpu();
  for (let i = 0; i < 3; i++) {
    using x = other.tensor([i]);
    assertEquals(await x.read(), Float32Array.of(i));
  }
  other.destroy();
  await new Promise((resolve) => setTimeout(resolve, 30));
});

/** A device that copies at once, and whose buffers before their promise resolves hold what `early` makes of the content. */
function mappingDevice(early: (content: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) {
  const reads = { early: 0, late: 0 };
  class MappedBuffer {
    content: Uint8Array<ArrayBuffer>;
    #resolved = false;
    constructor({ size }: GPUBufferDescriptor) {
      this.content = new Uint8Array(size);
    }
    async mapAsync() {
      this.#resolved = false;
      await new Promise((resolve) => setTimeout(resolve));
      this.#resolved = true;
    }
    getMappedRange() {
      reads[this.#resolved ? "late" : "early"]++;
      return (this.#resolved ? this.content : early(this.content)).slice().buffer;
    }
    unmap() {}
    destroy() {}
  }
  const copy = (from: MappedBuffer, _: number, to: MappedBuffer) => to.content.set(from.content);
  const device = {
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(null),
    createBuffer: (descriptor: GPUBufferDescriptor) => new MappedBuffer(descriptor),
    createCommandEncoder: () => ({ copyBufferToBuffer: copy, finish() {} }),
    queue: {
      submit() {},
      writeBuffer: ({ content }: MappedBuffer, at: number, { buffer }: Uint32Array<ArrayBuffer>) => {
        content.set(new Uint8Array(buffer), at);
      },
    },
  } as unknown as GPUDevice;
  return { device, reads };
}

const refuse = () => {
  throw new DOMException("not mapped", "OperationError");
};
const outcomes = [
  { name: "right", early: (content: Uint8Array<ArrayBuffer>) => content, reads: { early: 2, late: 0 } },
  { name: "stale", early: ({ length }: Uint8Array) => new Uint8Array(length), reads: { early: 1, late: 1 } },
  { name: "short", early: () => new Uint8Array(0), reads: { early: 1, late: 1 } },
  { name: "refused", early: refuse, reads: { early: 1, late: 1 } },
];

for (const { name, early, reads } of outcomes) {
  Deno.test(`a device whose early read is ${name} reads ${reads.late ? "late" : "early"}`, async () => {
    const { device, reads: found } = mappingDevice(early);
    const buffers = new StagingBuffers(device, () => () => {});
    const staging = buffers.take(8);
    (staging.buffer as unknown as { content: Uint8Array }).content.set([1, 2, 3, 4, 5, 6, 7, 8]);
    assertEquals(new Uint8Array(await buffers.read(staging, 6)), Uint8Array.of(1, 2, 3, 4, 5, 6));
    assertEquals(found, reads);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(buffers.take(8), staging); // reused once its promise has resolved
  });
}

Deno.test("this device's check takes a few milliseconds", async () => {
  await gpu.sync();
  const times: number[] = [];
  const outcomes = new Set<boolean>();
  while (times.length < 20) {
    const start = performance.now();
    outcomes.add(readsEarly(gpu.device));
    times.push(performance.now() - start);
  }
  // The least, as a busy machine adds to a time.
  assert(Math.min(...times) < 50, `${times} ms`);
  assertEquals(outcomes.size, 1);
  await gpu.sync();
});
