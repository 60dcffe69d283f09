import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { planEpoch, type PlanOptions } from "../../../data/batching/batch_plan.ts";
import {
  type BatchOptions,
  type BatchPosition,
  openBatches,
  type UtteranceBatch,
} from "../../../data/batching/batches.ts";
import type { Utterance } from "../../../data/corpus/utterance.ts";
import { tone, withFolder } from "../folder.ts";

const utterances = Array.from({ length: 300 }, (_, i) => ({
  id: `utterance ${i}`,
  seconds: 1 + (i * 37 % 100) / 20,
  speaker: `speaker ${i % 3}`,
}));
const plan = (options: Partial<PlanOptions> = {}, epoch = 0) =>
  planEpoch(utterances, { seconds: 30, seed: 1, ...options }, epoch);
const longest = (batch: readonly { seconds: number }[]) => Math.max(...batch.map(({ seconds }) => seconds));
const indices = (batches: ReturnType<typeof plan>) =>
  batches.flat().flatMap(({ parts }) => parts.map(({ index }) => index));
const all = utterances.map((_, i) => i);
const ascending = (values: number[]) => [...values].sort((a, b) => a - b);

Deno.test("an epoch has every utterance once, in batches within the padded budget, with little padding", () => {
  for (const options of [{}, { speeds: [0.9, 1, 1.1] }, { join: { seconds: 12 } }, { shuffle: false }]) {
    const batches = plan(options);
    assertEquals(ascending(indices(batches)), all);
    for (const batch of batches) assert(batch.length * longest(batch) <= 30 + 1e-6);
  }
  const padded = plan().reduce((sum, batch) => sum + batch.length * longest(batch), 0);
  const audio = utterances.reduce((sum, { seconds }) => sum + seconds, 0);
  assertLess(padded / audio, 1.06);
  assertEquals(indices(plan({ shuffle: false })), all);
});

Deno.test("the plan depends on seed and epoch alone, and mixes utterances of different lengths over the epoch", () => {
  assertEquals(plan({ speeds: [0.9, 1.1] }, 3), plan({ speeds: [0.9, 1.1] }, 3));
  const orders = [plan({}, 0), plan({}, 1), plan({ seed: 2 }, 0)].map((batches) => indices(batches).join());
  assertEquals(new Set(orders).size, 3);
  const lengths = plan().map(longest);
  const half = lengths.length >> 1;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assertLess(Math.abs(mean(lengths.slice(0, half)) - mean(lengths.slice(half))), 1.5);
});

Deno.test("joined utterances are of one speaker and fill the length, with the gap counted", () => {
  const joined = plan({ join: { seconds: 12, gap: 0.5 } }).flat();
  for (const { parts, seconds } of joined) {
    const of = parts.map(({ index }) => utterances[index]!);
    assertEquals(new Set(of.map(({ speaker }) => speaker)).size, 1);
    const expected = of.reduce((sum, utterance) => sum + utterance.seconds, 0) + 0.5 * (of.length - 1);
    assert(Math.abs(seconds - expected) < 1e-9 && seconds <= 12);
  }
  // All but the three that are open at the end have less room than the longest utterance needs.
  assert(joined.filter(({ seconds }) => seconds < 12 - 0.5 - 5.95).length <= 3);
  const unknown = utterances.map(({ id, seconds }) => ({ id, seconds }));
  const [first] = planEpoch(unknown, { seconds: 30, seed: 1, join: { seconds: 12 } }, 0).flat();
  assert(first!.parts.length > 1);
});

Deno.test("utterances that are longer than a batch are refused, alone, or skipped", () => {
  const message =
    "Cannot make batches as an utterance may last 5 s, the seconds of a batch: utterance 3 has 6.5 s";
  const slow = [...utterances.slice(0, 3), { id: "utterance 3", seconds: 6.5 }];
  const of = (longer?: "alone" | "skip") =>
    planEpoch(slow, { seconds: 5, seed: 1, ...longer && { longer } }, 0);
  assertThrows(() => of(), RangeError, message);
  const alone = of("alone").find((batch) => batch.some(({ parts }) => parts[0]!.index === 3))!;
  assertEquals(alone.length, 1);
  assertEquals(ascending(indices(of("skip"))), [0, 1, 2]);
});

const folder = {
  ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.wav`, tone(0.2 + i / 20)])),
  "broken.wav": new Uint8Array(3),
};
const listed = (dir: string): Utterance[] =>
  Array.from(
    { length: 9 },
    (_, i) => ({ id: `${i}`, audio: `${dir}/${i}.wav`, text: `T${i}`, speaker: "ada" }),
  );

async function take(dir: string, options: Partial<BatchOptions>, from: BatchPosition, count: number) {
  using batches = await openBatches(listed(dir), { seconds: 1.3, seed: 5, threads: 2, ...options });
  const taken: UtteranceBatch[] = [];
  for await (const batch of batches.from(from)) {
    taken.push(batch);
    if (taken.length === count) break;
  }
  return taken;
}

Deno.test("the cache grows with the audio used, up to the corpus at all speeds and to the capacity", () =>
  withFolder(folder, async (dir) => {
    const keptBytes = async (seconds: number, options: Partial<BatchOptions>) => {
      using batches = await openBatches(listed(dir), { seconds: 1.3, seed: 5, ...options });
      return {
        kept: batches.keptBytes(seconds),
        all: batches.utterances.reduce((sum, { seconds }) => sum + seconds, 0),
      };
    };
    const { kept, all } = await keptBytes(0.5, {});
    assertEquals(kept, 16_000);
    assertEquals((await keptBytes(1e6, {})).kept, 32_000 * all);
    assertEquals((await keptBytes(1e6, { speeds: [0.5, 1] })).kept, 32_000 * (2 * all + all));
    assertEquals((await keptBytes(1e6, { cacheBytes: 100 })).kept, 100);
  }));

Deno.test("batches resume from a stored position as if never interrupted", () =>
  withFolder(folder, async (dir) => {
    const options = { speeds: [0.9, 1, 1.1], noise: { probability: 0.5, snr: [10, 20] } } as const;
    const whole = await take(dir, options, { epoch: 0, batch: 0 }, 12);
    assert(whole.at(-1)!.position.epoch > 0, "more than an epoch");
    for (const at of [1, 7]) {
      const rest = await take(dir, { ...options, cacheBytes: 0, ahead: 1 }, whole[at]!.next, 11 - at);
      assertEquals(rest, whole.slice(at + 1));
    }
    const first = whole.filter(({ position }) => position.epoch === 0).flatMap(({ utterances }) =>
      utterances
    );
    assertEquals(first.flatMap(({ ids }) => ids).sort(), [..."012345678"]);
    // Utterances with the same key are identical; those with noise have no key.
    const keyed = new Map<string, Float32Array>();
    const all = whole.flatMap(({ utterances }) => utterances);
    for (const { key, samples } of all) {
      if (key === null) continue;
      assertEquals(samples, keyed.get(key) ?? samples);
      keyed.set(key, samples);
    }
    const without = all.filter(({ key }) => key === null).length;
    assert(without > 0 && without < all.length, `${without} of ${all.length} utterances have no key`);
    for (const { utterances, paddedSeconds, seconds } of whole) {
      assert(paddedSeconds <= 1.3 + 1e-3 && seconds <= paddedSeconds);
      for (const { ids, text, speaker } of utterances) assertEquals([text, speaker], [`T${ids[0]}`, "ada"]);
    }
  }));

Deno.test("joined utterances follow each other with silence between, and their texts with a space", () =>
  withFolder(folder, async (dir) => {
    const join = { seconds: 1.26, gap: 0.05 };
    const [{ utterances: [utterance] }] = await take(
      dir,
      { join, shuffle: false },
      { epoch: 0, batch: 0 },
      1,
    ) as [
      UtteranceBatch,
    ];
    assertEquals([utterance!.ids, utterance!.text, utterance!.key], [
      ["0", "1", "2", "3"],
      "T0 T1 T2 T3",
      null,
    ]);
    assertEquals(utterance!.samples.length, 16_000 * (0.2 + 0.25 + 0.3 + 0.35 + 3 * 0.05));
    assertEquals(utterance!.samples.subarray(3200, 4000).every((x) => x === 0), true);
    assert(utterance!.samples[4001] !== 0);
  }));

Deno.test("batches end with the last epoch; a broken utterance gives an error in its place", () =>
  withFolder(folder, async (dir) => {
    using batches = await openBatches(listed(dir).slice(0, 2), {
      seconds: 1,
      seed: 0,
      threads: 1,
      shuffle: false,
    });
    const some = await Array.fromAsync(batches.from({ epoch: 1, batch: 0 }, 3));
    assertEquals(some.map(({ position }) => position.epoch), [1, 2]);
    assertEquals(some[1]!.next, { epoch: 3, batch: 0 });

    const lying = [...listed(dir).slice(0, 4), { id: "x", audio: `${dir}/4.wav`, text: "X", seconds: 0.1 }];
    using others = await openBatches(lying, {
      seconds: 0.4,
      seed: 0,
      threads: 1,
      shuffle: false,
      longer: "alone",
    });
    const iterator = others.from({ epoch: 0, batch: 0 });
    for (let i = 0; i < 4; i++) await iterator.next();
    await assertRejects(() => iterator.next(), RangeError, "4.wav as it must last 0.10 s, as its corpus");

    const broken = [{ id: "b", audio: `${dir}/broken.wav` }];
    await assertRejects(() => openBatches(broken, { seconds: 1, seed: 0 }), SyntaxError, "broken.wav");
    await assertRejects(() => openBatches([], { seconds: 1, seed: 0 }), RangeError, "there are none");
    await assertRejects(() => openBatches(broken, { seconds: 1, seed: 0, join: { seconds: 1 } }), RangeError);
  }));
