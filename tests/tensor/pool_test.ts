import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferPool, sizeClass } from "../../tensor/pool.ts";
import { testGpu } from "../gpu.ts";

/** A new pool, with the ids of the buffers that it destroyed. */
async function pool(): Promise<{ pool: BufferPool; destroyed: number[] }> {
  const { device } = await testGpu();
  const destroyed: number[] = [];
  return { pool: new BufferPool(device, () => () => {}, (id) => destroyed.push(id)), destroyed };
}

Deno.test("size classes are multiples of 256 bytes with three significant bits", () => {
  for (
    const [bytes, expected] of [[0, 256], [1, 256], [256, 256], [257, 512], [1025, 1280], [
      2049,
      2560,
    ]] as const
  ) {
    assertEquals(sizeClass(bytes), expected);
  }
  for (let bytes = 1; bytes < 2 ** 31; bytes = Math.ceil(bytes * 1.37)) {
    const size = sizeClass(bytes);
    assert(size >= bytes && size % 256 === 0 && sizeClass(size) === size, `${bytes}: ${size}`);
    assert(size <= Math.max(256, Math.ceil(bytes / 256) * 256 * 1.25), `${bytes}: ${size}`);
    const odd = size / (2 ** Math.floor(Math.log2(size)) / 4);
    assert(Number.isInteger(odd), `${bytes}: ${size} has more than three significant bits`);
  }
});

Deno.test("a returned buffer is lent again to its size class", async () => {
  const { pool: buffers } = await pool();
  const first = buffers.take(1000);
  buffers.give(first);
  const again = buffers.take(900);
  const other = buffers.take(900);
  const larger = buffers.take(1300);
  assertEquals(again.id, first.id);
  assertEquals(new Set([first.id, other.id, larger.id]).size, 3);
  assertEquals([first.bytes, other.bytes, larger.bytes], [1024, 1024, 1536]);
  assertEquals(larger.buffer.size, 1536);
  for (const entry of [again, other, larger]) buffers.give(entry);
  buffers.trim();
});

Deno.test("the pool counts what is lent and what exists", async () => {
  const { pool: buffers, destroyed } = await pool();
  const counts = () => [buffers.live, buffers.liveBytes, buffers.peakBytes, buffers.allBytes];
  const a = buffers.take(256);
  const b = buffers.take(512);
  assertEquals(counts(), [2, 768, 768, 768]);
  buffers.give(a);
  assertEquals(counts(), [1, 512, 768, 768]);
  buffers.trim();
  assertEquals([counts(), destroyed], [[1, 512, 768, 512], [a.id]]);
  buffers.give(b);
  const c = buffers.take(500);
  assertEquals([c.id, ...counts()], [b.id, 1, 512, 768, 512]);
  buffers.give(c);
  buffers.trim();
  assertEquals([counts(), destroyed], [[0, 0, 768, 0], [a.id, b.id]]);
});

Deno.test("a buffer that recent commands use is not lent for an upload", async () => {
  const { pool: buffers } = await pool();
  const busy = buffers.take(256);
  busy.lastUse = 7;
  buffers.give(busy);
  const upload = buffers.take(256, 7);
  assert(upload.id !== busy.id);
  buffers.give(upload);
  assertEquals(buffers.take(256, 8).id, busy.id); // the oldest first
  assertEquals(buffers.take(256, 8).id, upload.id);
  buffers.give(upload);
  buffers.give(busy);
  buffers.trim();
});

Deno.test("a step takes the buffers of the step before, in whatever order that returned them", async () => {
  const { pool: buffers } = await pool();
  const step = (order: readonly number[]) => {
    const taken = order.map(() => buffers.take(256));
    for (const i of order) buffers.give(taken[i]!);
    return taken.map(({ id }) => id);
  };
  assertEquals(step([2, 0, 1]), step([1, 2, 0]));
  buffers.trim();
});

Deno.test("a tensor larger than the largest buffer is refused with both sizes", async () => {
  const gpu = await testGpu();
  const { maxBufferSize } = gpu.device.limits;
  const live = gpu.pool.live;
  assertThrows(
    () => gpu.empty([Math.floor(maxBufferSize / 4) + 1]),
    RangeError,
    "Cannot allocate a tensor as a buffer of this adapter holds at most",
  );
  assertEquals(gpu.pool.live, live);
});
