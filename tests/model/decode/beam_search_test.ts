import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseArpa } from "../../../model/decode/arpa.ts";
import { beamSearch, type LanguageModel } from "../../../model/decode/beam_search.ts";
import { greedyDecode, logProbabilities } from "../../../model/decode/greedy.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";
import { assertBounded } from "../../bounded.ts";
import { philox, uniforms } from "../../oracle/uniform.ts";

const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"|":1,"A":2,"B":3}' });
const V = tokenizer.size;

function randomLogits(T: number, seed: number, scale: number): Float32Array {
  return Float32Array.from(
    { length: T * V },
    (_, i) => scale * uniforms(philox([i, 1, 0, 0], [seed, 3]))[0]!,
  );
}

// Probability of every token sequence, summed over all V^T paths.
function totals(logits: Float32Array, T: number): Map<string, number> {
  const logProbs = logProbabilities(logits, T, V);
  const sums = new Map<string, number>();
  for (let code = 0; code < V ** T; code++) {
    const path = Array.from({ length: T }, (_, t) => Math.floor(code / V ** t) % V);
    const key = path.filter((id, t) => id !== 0 && id !== path[t - 1]).join();
    const p = Math.exp(path.reduce((sum, id, t) => sum + logProbs[t * V + id]!, 0));
    sums.set(key, (sums.get(key) ?? 0) + p);
  }
  return sums;
}

Deno.test("a beam without pruning finds the exact probability of every text", () => {
  for (let seed = 0; seed < 10; seed++) {
    const T = 1 + seed % 6;
    const logits = randomLogits(T, seed, 4);
    const expected = totals(logits, T);
    const results = beamSearch(logits, T, tokenizer, { width: 100_000, leastLogProb: -Infinity });
    assertEquals(results.length, expected.size);
    for (const { ids, logProb, score } of results) {
      assert(Math.abs(logProb - Math.log(expected.get(ids.join())!)) < 1e-9, `seed ${seed}: ${ids}`);
      assertEquals(score, logProb);
    }
    const best = [...expected].reduce((a, b) => a[1] > b[1] ? a : b)[0];
    assertEquals(results[0]!.ids.join(), best);
    const scores = results.map(({ score }) => score);
    assertEquals(scores, scores.toSorted((a, b) => b - a));
  }
});

Deno.test("a narrow beam never counts a path twice, and mostly finds the best text", () => {
  let found = 0;
  for (let seed = 0; seed < 40; seed++) {
    const T = 6;
    const logits = randomLogits(T, 100 + seed, 5);
    const expected = totals(logits, T);
    const results = beamSearch(logits, T, tokenizer, { width: 8, leastLogProb: -Infinity });
    assertEquals(new Set(results.map(({ ids }) => ids.join())).size, results.length);
    for (const { ids, logProb } of results) assert(logProb <= Math.log(expected.get(ids.join())!) + 1e-9);
    const best = [...expected].reduce((a, b) => a[1] > b[1] ? a : b)[0];
    found += Number(results[0]!.ids.join() === best);
  }
  assert(found >= 38, `${found} of 40`);
});

Deno.test("a beam of width 1 agrees with greedy decoding if each frame has a clear maximum", () => {
  for (let seed = 0; seed < 20; seed++) {
    const T = 50;
    const words = philox([seed, 0, 0, 0], [5, 5]);
    const best = Array.from({ length: T }, (_, t) => philox([seed, t, words[0]!, 0], [5, 6])[0]! % V);
    const logits = Float32Array.from({ length: T * V }, (_, i) => best[Math.floor(i / V)] === i % V ? 20 : 0);
    const [result] = beamSearch(logits, T, tokenizer, { width: 1 });
    assertEquals(result!.text, greedyDecode(logits, T, tokenizer).text);
  }
});

Deno.test("a beam sums over paths, unlike greedy decoding", () => {
  // Blank is the best of both frames with 0.4; A has 0.35 in each, and three paths.
  const row = [0.4, 0.05, 0.35, 0.2].map(Math.log);
  const logits = Float32Array.from([...row, ...row]);
  assertEquals(greedyDecode(logits, 2, tokenizer).text, "");
  const [best] = beamSearch(logits, 2, tokenizer);
  assertEquals(best!.text, "A");
  assert(Math.abs(Math.exp(best!.logProb) - (0.35 * 0.35 + 2 * 0.35 * 0.4)) < 1e-7);
});

const MODEL = parseArpa(
  [
    "\\data\\",
    "ngram 1=5",
    "ngram 2=2",
    "",
    "\\1-grams:",
    "-99 <s> -0.2",
    "-0.7 </s>",
    "-2 <unk>",
    "-0.9 A -0.3",
    "-0.5 B -0.1",
    "",
    "\\2-grams:",
    "-0.1 <s> B",
    "-0.2 B A",
    "",
    "\\end\\",
  ].join("\n"),
  "tiny.arpa",
);

Deno.test("scores add the language model and the word bonus at word ends", () => {
  const T = 6;
  const logits = randomLogits(T, 1, 4);
  const options = { width: 100_000, leastLogProb: -Infinity, languageModel: MODEL, alpha: 0.8, beta: 0.3 };
  const results = beamSearch(logits, T, tokenizer, options);
  const expected = totals(logits, T);
  assertEquals(results.length, expected.size);
  for (const { ids, text, logProb, score } of results) {
    const words = text === "" ? [] : text.split(" ");
    const bonus = 0.8 * MODEL.logProb(words) + 0.3 * words.length;
    assert(Math.abs(logProb - Math.log(expected.get(ids.join())!)) < 1e-9);
    assert(Math.abs(score - logProb - bonus) < 1e-9, `${text}: ${score - logProb}, not ${bonus}`);
  }
});

Deno.test("a language model decides between words of similar probability", () => {
  // A and B are nearly as probable; the model expects B first, then A.
  const row = (a: number, b: number, bar: number) => [0.02, bar, a, b].map(Math.log);
  const logits = Float32Array.from([
    ...row(0.5, 0.46, 0.02),
    ...row(0.02, 0.02, 0.94),
    ...row(0.46, 0.5, 0.02),
  ]);
  assertEquals(beamSearch(logits, 3, tokenizer)[0]!.text, "A B");
  assertEquals(beamSearch(logits, 3, tokenizer, { languageModel: MODEL, alpha: 2 })[0]!.text, "B A");
});

Deno.test("words are scored once each time they become complete", () => {
  const seen: string[] = [];
  const languageModel: LanguageModel<number> = {
    start: 0,
    score(state, word) {
      seen.push(`${state}:${word}`);
      return { logProb: -1, state: state + 1 };
    },
    end: () => 0,
  };
  const best = [2, 2, 3, 1, 1, 3, 0, 3];
  const logits = Float32Array.from(
    { length: best.length * V },
    (_, i) => best[Math.floor(i / V)] === i % V ? 30 : 0,
  );
  const [result] = beamSearch(logits, best.length, tokenizer, {
    languageModel,
    alpha: 1,
    beta: 0.25,
    width: 1,
  });
  assertEquals(result!.text, "AB BB");
  assertEquals(seen, ["0:AB", "1:BB"]);
  assert(Math.abs(result!.score - result!.logProb - 2 * (0.25 - 1)) < 1e-12);
});

Deno.test("a long utterance is searched in bounded time and memory", async () => {
  const T = 3000;
  const logits = randomLogits(T, 9, 3);
  // Takes some 0.3 s; the limit leaves room for a slow machine.
  const results = await assertBounded({ ms: 20_000 }, () => beamSearch(logits, T, tokenizer, { width: 20 }));
  assertEquals(results.length, 20);
});

Deno.test("beamSearch refuses an invalid width", () => {
  for (const width of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => beamSearch(new Float32Array(V), 1, tokenizer, { width }),
      RangeError,
      `Cannot search as the width must be a whole number from 1: it is ${width}`,
    );
  }
  assertEquals(beamSearch(new Float32Array(0), 0, tokenizer).map(({ text }) => text), [""]);
});
