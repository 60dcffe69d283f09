import { assertEquals, assertRejects } from "@std/assert";
import { UtteranceCache } from "../../../data/batching/utterance_cache.ts";
import { prefetch } from "../../../data/batching/prefetch.ts";
import { WorkerPool } from "../../../data/worker_pool.ts";

const serve = (body: string) => {
  const pool = new URL("../../../data/worker_pool.ts", import.meta.url);
  const module = `import { serveJobs } from "${pool}"; serveJobs(async (job) => { ${body} });`;
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`);
};

Deno.test("a pool runs jobs in parallel, and continues after errors, which keep their class", async () => {
  const pool = new WorkerPool<number, number>(
    serve("if (job < 0) throw new RangeError('Cannot: ' + job); return { result: job * job };"),
    2,
  );
  assertEquals(await Promise.all([1, 2, 3, 4, 5].map((job) => pool.run(job))), [1, 4, 9, 16, 25]);
  await assertRejects(() => pool.run(-2), RangeError, "Cannot: -2");
  assertEquals(await pool.run(6), 36);
  pool.close();
  await assertRejects(() => pool.run(1), Error, "the thread pool is closed");
});

Deno.test("closing a pool fails unfinished jobs, and a thread that dies fails only its own job", async () => {
  const pool = new WorkerPool<string, string>(
    serve(
      "if (job === 'die') setTimeout(() => { throw new Error('dead'); }); " +
        "if (job !== 'live') await new Promise(() => {}); return { result: job };",
    ),
    1,
  );
  await assertRejects(() => pool.run("die"), Error, "A worker thread failed");
  assertEquals(await pool.run("live"), "live");
  const waiting = [pool.run("wait"), pool.run("queued")];
  pool.close();
  for (const job of waiting) await assertRejects(() => job, Error, "the thread pool is closed");
});

Deno.test("prefetch keeps the order, runs ahead by at most `ahead` items, and throws errors in their place", async () => {
  let made = 0;
  async function* source(): AsyncGenerator<number> {
    for (; made < 6; made++) {
      if (made === 5) throw new Error("five");
      yield await Promise.resolve(made);
    }
  }
  const items: number[] = [];
  await assertRejects(
    async () => {
      for await (const item of prefetch(source(), 2)) {
        items.push(item);
        await new Promise((done) => setTimeout(done, 1));
        assertEquals(made <= item + 2, true);
      }
    },
    Error,
    "five",
  );
  assertEquals(items, [0, 1, 2, 3, 4]);
});

Deno.test("whoever leaves early ends the source", async () => {
  let ended = false;
  async function* endless(): AsyncGenerator<number> {
    try {
      for (let i = 0;; i++) yield await Promise.resolve(i);
    } finally {
      ended = true;
    }
  }
  for await (const item of prefetch(endless(), 3)) if (item === 2) break;
  await new Promise((done) => setTimeout(done, 1));
  assertEquals(ended, true);
});

Deno.test("the cache returns identical samples, within its capacity", () => {
  const exact = Float32Array.of(0, 0.5, -1, 1 / 32768);
  const odd = Float32Array.of(0.1, 1, -2);
  const cache = new UtteranceCache(8 + 12);
  cache.add("exact", exact);
  cache.add("odd", odd);
  cache.add("late", exact);
  assertEquals([cache.get("exact"), cache.get("odd"), cache.get("late")], [exact, odd, undefined]);
  const small = new UtteranceCache(9);
  small.add("odd", odd);
  assertEquals(small.size, 0);
});
