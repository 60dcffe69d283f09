import { assert, assertEquals, assertThrows } from "@std/assert";
import { greedyDecode } from "../../../model/decode/greedy.ts";
import { peaks, tokenizer, V } from "./peaks.ts";

const round = (x: number) => Math.round(x * 1e9) / 1e9;

Deno.test("greedyDecode collapses frames to words with times", () => {
  const { text, words } = greedyDecode(peaks([0, 3, 3, 0, 3, 4, 2, 2, 1, 4, 0, 2]), 12, tokenizer, {
    offset: 10,
  });
  assertEquals(text, "AAB B");
  assertEquals(words.map(({ text, start, end }) => [text, round(start), round(end)]), [
    ["AAB", 10.02, 10.12],
    ["B", 10.18, 10.2],
  ]);
  const p = Math.exp(8) / (Math.exp(8) + V - 1);
  for (const { confidence } of words) assert(Math.abs(confidence - p) < 1e-6);
});

Deno.test("confidence is the geometric mean of each token's best frame", () => {
  const logits = Float32Array.from([...peaks([3], 1), ...peaks([3], 4), ...peaks([4], 2)]);
  const p = (margin: number) => Math.exp(margin) / (Math.exp(margin) + V - 1);
  const [word] = greedyDecode(logits, 3, tokenizer).words;
  assert(Math.abs(word!.confidence - Math.sqrt(p(4) * p(2))) < 1e-7);
});

Deno.test("greedyDecode of silence and of no frames is empty", () => {
  assertEquals(greedyDecode(peaks([0, 0, 2, 0]), 4, tokenizer), { text: "", words: [] });
  assertEquals(greedyDecode(new Float32Array(0), 0, tokenizer), { text: "", words: [] });
});

Deno.test("times follow the length of a frame", () => {
  const { words } = greedyDecode(peaks([3, 4]), 2, tokenizer, { secondsPerFrame: 0.5 });
  assertEquals(words.map(({ start, end }) => [start, end]), [[0, 1]]);
});

Deno.test("logits that are not finite or have the wrong shape are refused", () => {
  assertThrows(
    () => greedyDecode(new Float32Array(11), 2, tokenizer),
    TypeError,
    "Cannot decode as logits must have a row of 5 for each of 2 frames: there are 11",
  );
  for (const value of [NaN, Infinity]) {
    const logits = peaks([0, 0]);
    logits[7] = value;
    assertThrows(
      () => greedyDecode(logits, 2, tokenizer),
      RangeError,
      "logits must be finite: frame 1 is not",
    );
  }
  const masked = peaks([3, 0]);
  masked[4] = -Infinity;
  assertEquals(greedyDecode(masked, 2, tokenizer).text, "A");
});
