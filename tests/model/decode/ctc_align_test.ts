import { assertEquals, assertThrows } from "@std/assert";
import { alignTokens } from "../../../model/decode/ctc_align.ts";
import { greedyDecode, logProbabilities, transcriptOf } from "../../../model/decode/greedy.ts";
import { philox, uniforms } from "../../oracle/uniform.ts";
import { peaks, tokenizer, V } from "./peaks.ts";

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
