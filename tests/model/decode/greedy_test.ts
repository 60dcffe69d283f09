import { assert, assertEquals, assertThrows } from "@std/assert";
import { alignTokens } from "../../../model/decode/ctc_align.ts";
import { greedyDecode, logProbabilities, transcriptOf } from "../../../model/decode/greedy.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";
import { philox, uniforms } from "../../oracle/uniform.ts";

const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"<s>":1,"|":2,"A":3,"B":4}' });
const V = tokenizer.size;

// Logits whose best token in each frame is the given one, by a margin.
const peaks = (ids: number[], margin = 8) =>
  Float32Array.from({ length: ids.length * V }, (_, i) => i % V === ids[Math.floor(i / V)] ? margin : 0);
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

Deno.test("alignTokens finds the path that greedyDecode takes", () => {
  const frames = [0, 3, 3, 0, 3, 4, 2, 2, 4, 0];
  const logits = peaks(frames);
  const spans = alignTokens(logits, frames.length, [3, 3, 4, 2, 4], V, 0);
  assertEquals(transcriptOf(spans, tokenizer), greedyDecode(logits, frames.length, tokenizer));
});

// All paths of T frames, as lists of ids.
function* paths(T: number): Generator<number[]> {
  for (let code = 0; code < V ** T; code++) {
    yield Array.from({ length: T }, (_, t) => Math.floor(code / V ** t) % V);
  }
}

Deno.test("alignTokens finds the best of all paths", () => {
  const T = 5;
  for (let seed = 0; seed < 20; seed++) {
    const u = Array.from({ length: T * V }, (_, i) => uniforms(philox([i, 0, 0, 0], [seed, 7]))[0]!);
    const logits = Float32Array.from(u, (x) => 6 * x);
    const logProbs = logProbabilities(logits, T, V);
    const ids = [[3], [3, 3], [3, 4, 3], []][seed % 4]!;
    let best = -Infinity;
    let bestPath: number[] = [];
    for (const path of paths(T)) {
      const shown = path.filter((id, t) => id !== 0 && id !== path[t - 1]);
      if (shown.join() !== ids.join()) continue;
      const sum = path.reduce((total, id, t) => total + logProbs[t * V + id]!, 0);
      if (sum > best) [best, bestPath] = [sum, path];
    }
    const spans = alignTokens(logits, T, ids, V, 0);
    const path = new Array(T).fill(0);
    for (const { id, start, end } of spans) path.fill(id, start, end);
    assertEquals(path, bestPath, `seed ${seed}`);
  }
});

Deno.test("alignTokens refuses more tokens than fit", () => {
  assertThrows(
    () => alignTokens(peaks([3, 3]), 2, [3, 3], V, 0),
    RangeError,
    "Cannot align as the tokens must fit into the frames: 3 frames are required, there are 2",
  );
});
