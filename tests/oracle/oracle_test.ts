// Properties of the oracles that no fixture covers.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { add } from "./add.ts";
import { attention } from "./attention.ts";
import { conv1d } from "./conv1d.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { ctc, ctcGradient } from "./ctc.ts";
import { dropout } from "./dropout.ts";
import { gatherRows } from "./gather_rows.ts";
import { layerNorm } from "./layer_norm.ts";
import { linear } from "./linear.ts";
import { logSoftmax } from "./log_softmax.ts";
import { maskEmbedding } from "./mask_embedding.ts";
import { maskFrames } from "./mask_frames.ts";
import { matmul } from "./matmul.ts";
import { meanFrames } from "./mean_frames.ts";
import {
  centralDifference,
  directionalDifference,
  dot,
  type Nd,
  nd,
  permute,
  randomMask,
  randomNd,
  reshape,
} from "./nd.ts";
import { scale } from "./scale.ts";
import { scatterRows } from "./scatter_rows.ts";
import { sum } from "./sum.ts";
import { sumRows } from "./sum_rows.ts";

function assertClose(actual: Nd, expected: Nd, tolerance = 1e-12) {
  assertEquals(actual.shape, expected.shape);
  actual.data.forEach((v, i) => assertAlmostEquals(v, expected.data[i]!, tolerance));
}

Deno.test("randomNd repeats by seed, is exact in float32 and normal", () => {
  const x = randomNd([100, 101], 7, 2);
  assertEquals(x, randomNd([100, 101], 7, 2));
  assert(dot(x, randomNd([100, 101], 8, 2)) / x.data.length < 0.1);
  assertEquals(x.data, Float64Array.from(Float32Array.from(x.data)));
  assertAlmostEquals(sum(x).data[0]! / x.data.length, 0, 0.1);
  assertAlmostEquals(dot(x, x) / x.data.length, 4, 0.2);
  assertEquals(randomNd([3], 7, 2).data, x.data.slice(0, 3));
  assertAlmostEquals(sum(randomMask([10_000], 1, 0.3)).data[0]!, 3000, 150);
});

Deno.test("permute moves every element to its place", () => {
  const x = nd([2, 3, 4], Array.from({ length: 24 }, (_, i) => i));
  const y = permute(x, [2, 0, 1]);
  assertEquals(y.shape, [4, 2, 3]);
  // y[3, 1, 2] is x[1, 2, 3].
  assertEquals(y.data[3 * 6 + 1 * 3 + 2], 23);
  assertEquals(permute(y, [1, 2, 0]), x);
  assertThrows(() => permute(x, [0, 0, 1]), TypeError, "every axis must be named once");
});

Deno.test("differences agree with a known gradient and with each other", () => {
  const x = randomNd([5], 1);
  const cotangent = randomNd([5], 2);
  const cube = ([a, b]: Nd[]) => nd([5], a!.data.map((v, i) => v ** 3 * b!.data[i]!));
  const inputs = [x, randomNd([5], 3)];
  const dx = centralDifference(cube, inputs, 0, cotangent);
  assertClose(dx, nd([5], x.data.map((v, i) => 3 * v * v * inputs[1]!.data[i]! * cotangent.data[i]!)), 1e-7);
  const direction = randomNd([5], 4);
  assertAlmostEquals(directionalDifference(cube, inputs, 0, cotangent, direction), dot(dx, direction), 1e-6);
});

Deno.test("matmul agrees with itself transposed, and with linear", () => {
  const a = randomNd([2, 3, 4], 1);
  const b = randomNd([2, 4, 5], 2);
  const y = matmul(a, b);
  const [at, bt] = [permute(a, [0, 2, 1]), permute(b, [0, 2, 1])];
  assertEquals(y.shape, [2, 3, 5]);
  assertClose(matmul(at, b, { transposeA: true }), y);
  assertClose(matmul(a, bt, { transposeB: true }), y);
  assertClose(matmul(at, bt, { transposeA: true, transposeB: true }), y);
  const w = randomNd([5, 4], 3);
  assertClose(linear(a, w), reshape(matmul(reshape(a, [6, 4]), w, { transposeB: true }), [2, 3, 5]));
  assertThrows(() => matmul(a, bt), TypeError, "a is [2,3,4], b is [2,5,4]");
});

Deno.test("linear: a gate comes after GELU", () => {
  const [x, w, b] = [randomNd([3, 4], 1), randomNd([2, 4], 2), randomNd([2], 3)];
  const y = linear(x, w, b, { gelu: true });
  const gated = linear(x, w, b, { gelu: true, gate: nd([2], [0, 0.5]) });
  y.data.forEach((v, i) => assertEquals(gated.data[i], i % 2 ? v / 2 : v * 0));
});

Deno.test("conv1d of too short an input has no frames", () => {
  assertEquals(conv1d(nd([2, 2, 1]), nd([4, 3, 1])).shape, [2, 0, 4]);
});

Deno.test("layer_norm over open channels equals the norm of the narrowed tensor", () => {
  const [x, w, b] = [randomNd([3, 5], 1), randomNd([5], 2), randomNd([5], 3)];
  const kept = [0, 2, 3];
  const open = nd([5], [1, 0, 0.01, 3, -1]);
  const narrow = (t: Nd) => permute(gatherRows(permute(t, [1, 0]), kept), [1, 0]);
  const row = (t: Nd) => nd([3], kept.map((c) => t.data[c]!));
  const y = layerNorm(x, w, b, { open });
  assertClose(narrow(y), layerNorm(narrow(x), row(w), row(b)));
  for (let i = 0; i < 3; i++) assertEquals([y.data[i * 5 + 1], y.data[i * 5 + 4]], [0, 0]);
  assertEquals(layerNorm(x, w, b, { open: nd([5]) }).data, new Float64Array(15));
});

Deno.test("attention ignores keys beyond the length and takes bias and gate", () => {
  const [q, k, v] = [1, 2, 3].map((seed) => randomNd([2, 4, 6], seed)) as [Nd, Nd, Nd];
  const lengths = [4, 2];
  const y = attention(q, k, v, { heads: 2, lengths });
  const wild = maskFrames(k, lengths);
  assertClose(attention(q, wild, maskFrames(v, lengths), { heads: 2, lengths }), y);
  // A bias of −∞ at the same keys does the same.
  const bias = nd([2, 2, 4, 4]);
  bias.data.forEach((_, i) => bias.data[i] = i >= 32 && i % 4 >= 2 ? -Infinity : 0);
  assertClose(attention(q, k, v, { heads: 2, bias }), y);
  // A shift per query changes nothing.
  const shift = nd([2, 4, 4], Array.from({ length: 32 }, (_, i) => Math.floor(i / 4)));
  assertClose(attention(q, k, v, { heads: 2, lengths, bias: shift }), y);
  const gated = attention(q, k, v, { heads: 2, lengths, gate: nd([2], [0, 2]) });
  y.data.forEach((value, i) => assertEquals(gated.data[i], i % 6 < 3 ? value * 0 : value * 2));
  assertEquals(attention(q, k, v, { heads: 2, lengths: [0, 0] }).data, new Float64Array(48));
  assertClose(
    attention(scale(q, 3), k, v, { heads: 2, scale: 1 }),
    attention(q, k, v, { heads: 2, scale: 3 }),
  );
});

// −log of the summed probability of every sequence of labels that collapses to the target.
function enumerateCtc(logits: Nd, frames: number, target: number[]): number {
  const V = logits.shape[2]!;
  const log = logSoftmax(logits);
  let total = 0;
  for (let path = 0; path < V ** frames; path++) {
    const labels = Array.from({ length: frames }, (_, t) => Math.floor(path / V ** t) % V);
    const collapsed = labels.filter((label, t) => label !== labels[t - 1]).filter((label) => label !== 0);
    if (collapsed.join() !== target.join()) continue;
    total += Math.exp(labels.reduce((all, label, t) => all + log.data[t * V + label]!, 0));
  }
  return -Math.log(total);
}

Deno.test("ctc agrees with the enumeration of all alignments", () => {
  const logits = randomNd([1, 6, 3], 5);
  for (const target of [[], [1], [2, 2], [1, 2, 1], [1, 1, 1], [1, 1, 2, 2]]) {
    for (const frames of [1, 4, 6]) {
      const loss = ctc(logits, [frames], [target], { reduction: "none" }).data[0]!;
      const expected = enumerateCtc(logits, frames, target);
      if (expected === Infinity) assertEquals(loss, Infinity);
      else assertAlmostEquals(loss, expected, 1e-12);
    }
  }
});

Deno.test("ctc: another blank, no frames, and an infeasible utterance", () => {
  const logits = randomNd([2, 5, 4], 6);
  // Class 3 as blank is class 0 as blank with the classes rotated.
  const rotated = permute(gatherRows(permute(reshape(logits, [10, 4]), [1, 0]), [3, 0, 1, 2]), [1, 0]);
  assertClose(
    ctc(logits, [5, 4], [[0, 2], [1]], { blank: 3 }),
    ctc(reshape(rotated, [2, 5, 4]), [5, 4], [[1, 3], [2]]),
  );
  assertEquals([...ctc(logits, [0, 0], [[], [1]], { reduction: "none" }).data], [0, Infinity]);
  const targets = [[1, 1, 1], [2]];
  assertEquals(ctc(logits, [4, 3], targets).data[0], Infinity);
  const dx = ctcGradient(logits, [4, 3], targets);
  assert(dx.data.slice(0, 16).every(Number.isNaN));
  assert(dx.data.slice(16, 20).every((v) => v === 0));
  const kept = ctcGradient(logits, [4, 3], targets, { zeroInfinity: true });
  assert(kept.data.slice(0, 20).every((v) => v === 0));
  // mean over two utterances; the target of the second has one label.
  assertAlmostEquals(
    ctc(logits, [4, 3], targets, { zeroInfinity: true }).data[0]!,
    ctc(logits, [4, 3], targets, { reduction: "none" }).data[1]! / 2,
  );
});

Deno.test("ctcGradient takes a cotangent per utterance", () => {
  const logits = randomNd([2, 5, 4], 7);
  const targets = [[1, 3], []];
  const cotangent = nd([2], [0.5, -2]);
  const options = { reduction: "none" as const };
  assertClose(
    ctcGradient(logits, [5, 3], targets, options, cotangent),
    centralDifference(([x]) => ctc(x!, [5, 3], targets, options), [logits], 0, cotangent),
    1e-7,
  );
});

Deno.test("cross_entropy of equal logits is the logarithm of their number", () => {
  const losses = crossEntropy(nd([2, 8]), [0, 7], { reduction: "none" });
  assertClose(losses, nd([2], [Math.log(8), Math.log(8)]));
  assertClose(crossEntropy(nd([2, 8]), [0, 7], { reduction: "sum" }), nd([], [2 * Math.log(8)]));
  assertClose(crossEntropy(nd([1, 2], [1000, 0]), [1]), nd([], [1000]));
  assertThrows(() => crossEntropy(nd([1, 2]), [2]), RangeError, "labels[0] is 2");
});

Deno.test("rows: gathering and scattering are adjoint", () => {
  const [x, y] = [randomNd([4, 3], 1), randomNd([5, 3], 2)];
  const index = [3, 0, 0, 2, 3];
  assertAlmostEquals(dot(gatherRows(x, index), y), dot(x, scatterRows(y, index, 4)), 1e-12);
  assertClose(
    sumRows(y),
    nd([3], [0, 1, 2].map((c) => [0, 1, 2, 3, 4].reduce((a, r) => a + y.data[r * 3 + c]!, 0))),
  );
  assertThrows(() => gatherRows(x, [4]), RangeError, "index[0] is 4");
});

Deno.test("frames: masks, means and embeddings", () => {
  const x = nd([2, 2, 1], [1, 2, 3, 4]);
  assertEquals([...maskFrames(x, [1, 2]).data], [1, 0, 3, 4]);
  assertEquals([...meanFrames(x, [1, 2]).data], [1, 3.5]);
  assertEquals([...meanFrames(x).data], [1.5, 3.5]);
  assertEquals([...meanFrames(x, [0, 2]).data], [0, 3.5]);
  assertEquals([...maskEmbedding(x, nd([1], [9]), nd([2, 2], [0, 1, 1, 0])).data], [1, 9, 9, 4]);
});

Deno.test("add broadcasts a suffix; dropout scales the kept elements", () => {
  const x = nd([2, 2], [1, 2, 3, 4]);
  assertEquals([...add(x, nd([2], [10, 20])).data], [11, 22, 13, 24]);
  assertEquals([...add(x, nd([], [1])).data], [2, 3, 4, 5]);
  assertThrows(() => add(x, nd([3])), TypeError, "a is [2,2], b is [3]");
  const keep = nd([2, 2], [1, 0, 0, 1]);
  assertEquals([...dropout(x, { p: 0.5, keep }).data], [2, 0, 0, 8]);
  assertEquals([...dropout(x, { p: 1, keep }).data], [0, 0, 0, 0]);
});
