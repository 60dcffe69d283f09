import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import {
  addNoise,
  changeSpeed,
  drawSpeeds,
  makeNoise,
  maskSpans,
  SPEEDS,
} from "../../../data/batching/augment.ts";

const stream = (step: number, purpose = "test") => ({ seed: 7, purpose, step });
const sum = (values: Iterable<number>) => [...values].reduce((all, value) => all + value, 0);
const power = (samples: Float32Array) => sum(samples.map((x) => x * x)) / samples.length;

/** Starts and ends of runs of ones. */
function runs(row: Int32Array): [number, number][] {
  const found: [number, number][] = [];
  row.forEach((x, i) => {
    if (x === 1 && row[i - 1] !== 1) found.push([i, i]);
    if (x === 1) found.at(-1)![1] = i;
  });
  return found;
}

Deno.test("masks are as many spans of the length as asked for, within the valid places", () => {
  const options = { prob: 0.3, length: 10, minMasks: 2 };
  let covered = 0;
  for (let step = 0; step < 200; step++) {
    const mask = maskSpans([100, 40, 9, 0, 10], 100, options, stream(step));
    assertEquals(mask.length, 500);
    const row = (b: number) => mask.subarray(b * 100, (b + 1) * 100);
    for (const [b, valid] of [100, 40, 9, 0, 10].entries()) {
      assertEquals(sum(row(b).subarray(valid)), 0, "padding stays");
      for (const [from, to] of runs(row(b))) assert(to - from + 1 >= 10);
    }
    // ⌊0.3 · 40 / 10 + u⌋ is 1 or 2, and at least 2 are requested: 11 to 20 places.
    const second = sum(row(1));
    assert(second >= 11 && second <= 20, String(second));
    assertEquals(
      [sum(row(2)), sum(row(3)), sum(row(4))],
      [0, 0, 10],
      "a row as long as a span has one start",
    );
    covered += sum(row(0));
  }
  // Three spans, which would cover 30 of 100 without overlap.
  assertLess(covered / 200, 30);
  assertGreater(covered / 200, 24);
});

Deno.test("the number of spans is rounded at random, the same way for the whole batch", () => {
  const counts = Array.from({ length: 400 }, (_, step) => {
    const mask = maskSpans([100, 100], 100, { prob: 0.015, length: 1 }, stream(step));
    assertEquals(sum(mask.subarray(0, 100)), sum(mask.subarray(100)));
    return sum(mask.subarray(0, 100));
  });
  assertEquals([...new Set(counts)].sort(), [1, 2]);
  assertAlmostEquals(sum(counts) / 400, 1.5, 0.1);
});

Deno.test("every place is masked about equally often, and spans never start twice at a place", () => {
  const hits = new Int32Array(20);
  for (let step = 0; step < 1000; step++) {
    const mask = maskSpans([20], 20, { prob: 0.5, length: 1, minMasks: 10 }, stream(step));
    assertEquals(sum(mask), 10);
    mask.forEach((x, i) => hits[i]! += x);
  }
  for (const count of hits) assertAlmostEquals(count / 1000, 0.5, 0.07);
  assertEquals(sum(maskSpans([4], 4, { prob: 1, length: 1, minMasks: 9 }, stream(0))), 4);
});

Deno.test("masks depend on seed, purpose and step alone, and check their options", () => {
  const options = { prob: 0.2, length: 5 };
  const mask = (step: number, purpose?: string) =>
    maskSpans([90, 80], 90, options, stream(step, purpose)).join("");
  assertEquals(mask(3), mask(3));
  assert(mask(3) !== mask(4) && mask(3) !== mask(3, "other"));
  assertEquals(sum(maskSpans([50], 50, { prob: 0, length: 5, minMasks: 2 }, stream(0))), 0);
  assertThrows(() => maskSpans([5], 4, options, stream(0)), RangeError, "at most 4 positions: 5");
  assertThrows(() => maskSpans([5], 5, { prob: 1.5, length: 5 }, stream(0)), RangeError, "prob");
  assertThrows(() => maskSpans([5], 5, { prob: 0.5, length: 0 }, stream(0)), RangeError, "length");
});

Deno.test("speeds are drawn equally often", () => {
  const speedOf = drawSpeeds(SPEEDS, stream(0));
  const drawn = Array.from({ length: 900 }, (_, i) => speedOf(i));
  for (const speed of SPEEDS) {
    assertAlmostEquals(drawn.filter((one) => one === speed).length / 900, 1 / 3, 0.05);
  }
  assertThrows(() => drawSpeeds([], stream(0)), RangeError);
});

Deno.test("faster audio is shorter and higher", async () => {
  const samples = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(2 * Math.PI * 440 * i / 16_000));
  assertEquals(await changeSpeed(samples, 1, 16_000), samples);
  for (const speed of [0.9, 1.1]) {
    const changed = await changeSpeed(samples, speed, 16_000);
    assertEquals(changed.length, Math.ceil(16_000 / speed));
    const middle = changed.subarray(2000, 12_000);
    const expected = middle.map((_, i) => Math.sin(2 * Math.PI * 440 * speed * (i + 2000) / 16_000));
    assertLess(Math.max(...middle.map((x, i) => Math.abs(x - expected[i]!))), 0.01);
  }
});

Deno.test("noise has the colour and the level asked for", () => {
  const white = makeNoise(65_536, "white", stream(0));
  const pink = makeNoise(65_536, "pink", stream(0));
  assertAlmostEquals(power(white), 1, 0.03);
  assertAlmostEquals(power(pink), 1, 0.2);
  // Mean power at a frequency, in cycles of 1024 samples.
  const at = (samples: Float32Array, cycles: number) => {
    let all = 0;
    for (let from = 0; from < samples.length; from += 1024) {
      let [re, im] = [0, 0];
      for (let i = 0; i < 1024; i++) {
        re += samples[from + i]! * Math.cos(2 * Math.PI * cycles * i / 1024);
        im += samples[from + i]! * Math.sin(2 * Math.PI * cycles * i / 1024);
      }
      all += re * re + im * im;
    }
    return all;
  };
  const band = (samples: Float32Array, from: number) =>
    sum(Array.from({ length: 8 }, (_, i) => at(samples, from + 2 * i)));
  assertAlmostEquals(10 * Math.log10(band(white, 40) / band(white, 320)), 0, 1);
  // Three octaves less about 47 and 327 cycles: 8.4 dB.
  assertAlmostEquals(10 * Math.log10(band(pink, 40) / band(pink, 320)), 8.4, 1.2);

  const tone = Float32Array.from({ length: 32_000 }, (_, i) => 0.3 * Math.sin(i / 10));
  for (const index of [0, 1, 2]) {
    const noisy = addNoise(tone, { probability: 1, snr: [12, 12] }, index, stream(1));
    const noise = noisy.map((x, i) => x - tone[i]!);
    assertAlmostEquals(10 * Math.log10(power(tone) / power(noise)), 12, 0.01);
  }
});

Deno.test("noise is added to the requested share of utterances, and depends on their position", () => {
  const utterance = new Float32Array(100).fill(0.1);
  const options = { probability: 0.25, snr: [0, 20] } as const;
  const noisy = Array.from({ length: 400 }, (_, i) => addNoise(utterance, options, i, stream(2)));
  assertAlmostEquals(noisy.filter((one) => one !== utterance).length / 400, 0.25, 0.06);
  assertEquals(addNoise(utterance, options, 3, stream(2)), noisy[3]);
  const two = noisy.filter((one) => one !== utterance);
  assert(two[0]!.join() !== two[1]!.join());
  const silence = new Float32Array(10);
  assertEquals(addNoise(silence, { probability: 1, snr: [5, 5] }, 0, stream(0)), silence);
});
