// A stream gives the words of the whole, whatever the pieces are, with partial texts and bounded memory.
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { EMBEDDED_DENSE } from "../../../cli/embedded.ts";
import { loadAudio } from "../../../data/audio/audio.ts";
import { loadModel } from "../../../model/inference/load_model.ts";
import type { LoadedModel } from "../../../model/inference/loaded_model.ts";
import type { StreamUpdate } from "../../../model/inference/stream.ts";
import { RunningMoments } from "../../../model/inference/running_moments.ts";
import { prepareBatch } from "../../../model/inference/preprocess.ts";
import { testGpu } from "../../gpu.ts";

const CHUNKS = { chunkSeconds: 6, strideSeconds: 1 };

/** The embedded samples one after the other, with pauses between them, up to a length. */
async function speech(seconds: number): Promise<Float32Array<ArrayBuffer>> {
  const all = new Float32Array(seconds * 16_000);
  const folder = new URL("../../../assets/samples/", import.meta.url);
  const names = ["bathroom", "radio", "weather"].map((name) => new URL(`${name}.flac`, folder));
  const utterances = await Promise.all(names.map(async (url) => (await loadAudio(url)).samples));
  let at = 0;
  for (let i = 0; at < all.length; i++) {
    const utterance = utterances[i % 3]!;
    all.set(utterance.subarray(0, all.length - at), at);
    at += utterance.length + 4000;
  }
  return all;
}

function* inPieces(samples: Float32Array, length: number): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

async function withModel(test: (model: LoadedModel) => Promise<void>): Promise<void> {
  using model = await loadModel(EMBEDDED_DENSE, { gpu: await testGpu() });
  await test(model);
}

const wordsOf = (updates: readonly StreamUpdate[]) => updates.flatMap(({ words }) => words);

Deno.test("a stream of 60 s in pieces of 0.2 s gives the words of the windowed transcript", () =>
  withModel(async (model) => {
    const samples = await speech(60);
    const whole = await model.transcribe(samples, { ...CHUNKS, normalization: "running" });
    assert(whole.words.length > 100, `${whole.words.length}`);
    const updates = await Array.fromAsync(
      model.stream(inPieces(samples, 3200), { ...CHUNKS, partialSeconds: 2 }),
    );
    assertEquals(wordsOf(updates), [...whole.words]);
    assertEquals(updates.map(({ text }) => text).filter((text) => text !== "").join(" "), whole.text);
    // A word is final at most a chunk without its stride after its end, and what delays its delimiter.
    for (const { words, seconds } of updates) {
      for (const { end } of words) assertLess(seconds - end, 2 * CHUNKS.chunkSeconds);
    }
    assertEquals(updates.at(-1)!.partial, "");
  }));

Deno.test("the words do not depend on the pieces, and audio shorter than a chunk streams too", () =>
  withModel(async (model) => {
    for (const seconds of [2, 6, 6.01, 11]) {
      const samples = await speech(seconds);
      const { words } = await model.transcribe(samples, { ...CHUNKS, normalization: "running" });
      for (const length of [1000, 16_001, samples.length]) {
        const options = { ...CHUNKS, partialSeconds: 0 };
        const updates = await Array.fromAsync(model.stream(inPieces(samples, length), options));
        assertEquals(wordsOf(updates), [...words], `${seconds} s in pieces of ${length}`);
        assert(updates.every(({ partial }) => partial === ""));
      }
    }
    assertEquals(await Array.fromAsync(model.stream([])), []);
    assertEquals(await Array.fromAsync(model.stream([new Float32Array(100)])), []);
  }));

Deno.test("partial texts come while a chunk is not complete", () =>
  withModel(async (model) => {
    const { samples } = await loadAudio(new URL("../../../assets/samples/weather.flac", import.meta.url));
    const updates = await Array.fromAsync(model.stream(inPieces(samples, 3200), { partialSeconds: 0.4 }));
    assert(updates.slice(0, -1).every(({ words, partial }) => words.length === 0 && partial !== ""));
    assert(
      updates.slice(0, -1).some(({ partial }) => partial === "WHAT IS THE WEATHER"),
      JSON.stringify(updates),
    );
    assertEquals(updates.at(-1)!.text, "WHAT IS THE WEATHER IN LONDON ON MONDAY");
  }));

Deno.test("the memory of a stream does not grow with its length", () =>
  withModel(async (model) => {
    const { gpu } = model.model;
    const samples = await speech(12);
    const source = function* () {
      for (let i = 0; i < 8; i++) yield* inPieces(samples, 3200);
    };
    const seen: number[] = [];
    for await (const { words } of model.stream(source(), { ...CHUNKS, partialSeconds: 0 })) {
      assert(words.length > 0);
      seen.push(gpu.pool.live, gpu.pool.allBytes);
    }
    // The first chunks compile kernels, and the last one is shorter.
    const [early, late] = [seen.slice(4, 20), seen.slice(20, -2)];
    assert(late.length > 20);
    assertEquals(new Set(late), new Set(early));
  }));

Deno.test("running moments are those of the utterance at its end", () => {
  const samples = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * 0.7) * 0.1 + 0.02);
  const moments = new RunningMoments();
  for (const piece of inPieces(samples, 777)) moments.add(piece);
  const { mean, factor } = moments.scaling();
  const { inputValues } = prepareBatch([samples], {
    do_normalize: true,
    return_attention_mask: false,
    sampling_rate: 16_000,
    padding_value: 0,
  });
  inputValues.forEach((value, i) => assertLess(Math.abs(value - (samples[i]! - mean) * factor), 1e-6));
});

Deno.test("a stream refuses what is not samples, and chunks without a middle", () =>
  withModel(async (model) => {
    const text = ["samples"] as unknown as Float32Array[];
    await assertRejects(() => Array.fromAsync(model.stream(text)), TypeError, "pieces must be Float32Array");
    const short = model.stream([], { chunkSeconds: 2, strideSeconds: 1 });
    await assertRejects(() => Array.fromAsync(short), RangeError, "a chunk must be longer than two strides");
    model.dispose();
    assertThrows(() => model.stream([]), TypeError, "was disposed");
  }));
