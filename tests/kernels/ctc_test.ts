import { assert, assertEquals, assertThrows } from "@std/assert";
import { ctc, type CtcOptions } from "../../kernels/ctc.ts";
import { parseSafetensors, toFloat32, toInt32 } from "../../model/checkpoint/safetensors.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { backward } from "../../tensor/backward.ts";
import { testGpu } from "../gpu.ts";
import { ctc as oracle, ctcGradient } from "../oracle/ctc.ts";
import { type Nd, nd, randomNd } from "../oracle/nd.ts";
import { assertClose, checkOp, upload } from "./check_op.ts";

/** The loss and its gradient on the device, at a cotangent of ones unless given. */
async function run(
  gpu: Gpu,
  logits: Nd,
  lengths: readonly number[],
  targets: readonly (readonly number[])[],
  options: CtcOptions,
  cotangent?: Nd,
): Promise<{ y: ArrayLike<number>; dx: ArrayLike<number> }> {
  const liveBefore = gpu.pool.live;
  using x = upload(gpu, logits);
  x.requiresGrad = true;
  const { y, dx } = gpu.scope(() => {
    const y = ctc(x, lengths, targets, options);
    const shape = options.reduction === "none" ? [targets.length] : [];
    assertEquals(y.shape, shape);
    const seed = cotangent
      ? upload(gpu, cotangent)
      : upload(gpu, nd(shape, new Float64Array(y.size).fill(1)));
    return { y, dx: backward(y, { gradient: seed }).get(x)! };
  });
  const found = { y: await y.read(), dx: await dx.read() };
  y.dispose();
  dx.dispose();
  assertEquals(gpu.pool.live, liveBefore + 1, "live buffers");
  return found;
}

/** Labels with repeats, other than `blank`, below `columns`. */
function labels(count: number, columns: number, blank: number, seed: number): number[] {
  const drawn = randomNd([Math.max(1, count)], seed, 50).data;
  const others = Array.from({ length: columns }, (_, v) => v).filter((v) => v !== blank);
  return Array.from({ length: count }, (_, i) => others[Math.floor(Math.abs(drawn[i]!)) % others.length]!);
}

Deno.test("ctc, against differences of the oracle", async () => {
  for (const reduction of ["mean", "sum", "none"] as const) {
    for (
      const [blank, lengths, targets] of [
        [0, [7, 5, 3], [[1, 1, 2], [3], []]],
        [3, [7, 0, 1], [[0, 1, 0, 2], [], [2]]],
      ] as const
    ) {
      await checkOp({
        name: `ctc ${reduction} blank ${blank}`,
        inputs: [randomNd([3, 7, 4], 1, 2)],
        op: ([x]) => ctc(x!, lengths, targets, { blank, reduction }),
        oracle: ([x]) => oracle(x!, lengths, targets, { blank, reduction }),
      });
    }
  }
});

Deno.test("ctc, against every CTC tensor of ops.safetensors", async () => {
  const gpu = await testGpu();
  const file = parseSafetensors(Deno.readFileSync(new URL("../testdata/ops.safetensors", import.meta.url)));
  const integers = (name: string) => [...toInt32(file.tensors.get(name)!)];
  const floats = (name: string) => nd(file.tensors.get(name)!.shape, toFloat32(file.tensors.get(name)!));
  const cases: [name: string, frames: string, lengths: string, options: CtcOptions][] = [
    ["ctc_mean", "ctc", "ctc", { reduction: "mean" }],
    ["ctc_sum", "ctc", "ctc", { reduction: "sum" }],
    ["ctc_none", "ctc", "ctc", { reduction: "none" }],
    ["ctc_empty_target_sum", "ctc", "ctc_empty", { reduction: "sum" }],
    ["ctc_infeasible_zero_infinity_mean", "ctc_infeasible", "ctc", { zeroInfinity: true }],
  ];
  for (const [name, frames, lengths, options] of cases) {
    const padded = integers("ctc.targets");
    const targets = integers(`${lengths}.target_lengths`).map((n, i) => padded.slice(4 * i, 4 * i + n));
    const frameLengths = integers(`${frames}.input_lengths`);
    const { y, dx } = await run(gpu, floats(`${name}.logits`), frameLengths, targets, options);
    assertClose(`${name}.y`, y, floats(`${name}.y`).data, { atol: 0 });
    assertClose(`${name}.grad.logits`, dx, floats(`${name}.grad.logits`).data, { atol: 0 });
  }
  const covered = new Set(cases.flatMap(([name]) => [`${name}.logits`, `${name}.y`, `${name}.grad.logits`]));
  const known = /^ctc\.targets$|\.input_lengths$|\.target_lengths$/;
  const left = [...file.tensors.keys()].filter((name) => name.startsWith("ctc") && !known.test(name));
  assertEquals(new Set(left), covered);
});

Deno.test("ctc, past the sizes of a workgroup and a vector, in utterances of all lengths", async () => {
  const gpu = await testGpu();
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 7 } });
  const cases = [
    { device: gpu, batch: 2, frames: 300, columns: 32, longest: 60, scale: 3 },
    { device: gpu, batch: 1, frames: 260, columns: 5, longest: 140, scale: 1 },
    { device: gpu, batch: 1, frames: 9, columns: 1200, longest: 4, scale: 1 },
    { device: small, batch: 9, frames: 61, columns: 7, longest: 21, scale: 2 },
  ];
  for (const { device, batch, frames, columns, longest, scale } of cases) {
    const logits = randomNd([batch, frames, columns], batch, scale);
    const lengths = Array.from({ length: batch }, (_, i) => frames - 4 * i);
    const targets = lengths.map((_, i) => labels(Math.max(0, longest - 3 * i), columns, 2, i));
    for (const reduction of ["mean", "none"] as const) {
      const options = { reduction, blank: 2 };
      const name = `ctc [${logits.shape}] ${reduction}`;
      const cotangent = randomNd(reduction === "none" ? [batch] : [], 3);
      const { y, dx } = await run(device, logits, lengths, targets, options, cotangent);
      assertClose(`${name}: value`, y, oracle(logits, lengths, targets, options).data, { atol: 0 });
      const expected = ctcGradient(logits, lengths, targets, options, cotangent);
      assertClose(`${name}: gradient`, dx, expected.data, { atol: 0 });
    }
  }
});

Deno.test("ctc of scores that are confident of the target or of another", async () => {
  const gpu = await testGpu();
  const frames = 300;
  const target = labels(60, 32, 0, 5);
  for (const shift of [0, 1]) {
    // The highest score of frame 5k + 1 is that of label k, of all others that of the blank; shifted, of the next label.
    const logits = randomNd([1, frames, 32], 7);
    for (let t = 0; t < frames; t++) {
      const label = t % 5 === 1 ? (target[(t - 1) / 5]! + shift) % 32 : 0;
      logits.data[t * 32 + label]! += 15;
    }
    const { y, dx } = await run(gpu, logits, [frames], [target], {});
    const expected = oracle(logits, [frames], [target]).data;
    // Near a loss of 0, f32 resolves the difference of each frame's probability to 1.
    assertClose(`loss, labels shifted by ${shift}`, y, expected, { atol: 1e-6 });
    assertClose(`gradient, labels shifted by ${shift}`, dx, ctcGradient(logits, [frames], [target]).data);
  }
});

Deno.test("ctc of 3,000 frames and 512 labels, and of more frames than a loop may have iterations", async () => {
  const gpu = await testGpu();
  for (const [frames, count, columns] of [[3000, 512, 32], [31000, 3, 2]] as const) {
    const logits = randomNd([1, frames, columns], 11, 2);
    const target = columns === 2 ? [1, 1, 1] : labels(count, columns, 0, 12);
    const { y, dx } = await run(gpu, logits, [frames], [target], { reduction: "sum" });
    assertClose(
      `loss of ${frames} frames`,
      y,
      oracle(logits, [frames], [target], { reduction: "sum" }).data,
      {
        rtol: 1e-5,
        atol: 0,
      },
    );
    // The softmax sums to one in every frame, and so do the shares of the states.
    const sums = Array.from({ length: frames }, (_, t) => {
      let sum = 0;
      for (let v = 0; v < columns; v++) sum += dx[t * columns + v]!;
      return sum;
    });
    assertClose(`sums of the gradient over the labels`, sums, sums.map(() => 0), { atol: 2e-5 });
  }
});

Deno.test("ctc of targets that do not fit", async () => {
  const gpu = await testGpu();
  const logits = randomNd([3, 4, 3], 1);
  // [1, 1, 2, 2] needs two blanks between equal labels.
  const [lengths, targets] = [[4, 4, 0], [[1, 2], [1, 1, 2, 2], [1]]];
  for (const zeroInfinity of [false, true]) {
    for (const reduction of ["none", "mean", "sum"] as const) {
      const { y, dx } = await run(gpu, logits, lengths, targets, { zeroInfinity, reduction });
      assertEquals(
        Array.from(y, Number.isFinite),
        [...oracle(logits, lengths, targets, { zeroInfinity, reduction }).data].map(Number.isFinite),
      );
      if (!zeroInfinity) assertEquals(y[y.length - 1], Infinity);
      const expected = ctcGradient(logits, lengths, targets, { zeroInfinity, reduction }).data;
      assertEquals(Array.from(dx, Number.isNaN), Array.from(expected, Number.isNaN));
      const [finite, other] = [Array.from(dx), Array.from(expected)].map((d) => d.map((v) => v || 0));
      assertClose(`gradient ${reduction}`, finite!, other!);
    }
  }
});

Deno.test("ctc propagates NaN", async () => {
  const gpu = await testGpu();
  const logits = randomNd([2, 3, 3], 1);
  logits.data[4] = NaN;
  const { y } = await run(gpu, logits, [3, 3], [[1], [1]], { reduction: "none" });
  assert(Number.isNaN(y[0]) && y[1]! > 0, `found ${y[0]}, ${y[1]}`);
});

Deno.test("ctc refuses what it cannot read", async () => {
  const gpu = await testGpu();
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 7 } });
  gpu.scope(() => {
    const x = gpu.zeros([2, 5, 4]);
    const lengths = [5, 5];
    const fails = (kind: typeof TypeError | typeof RangeError, message: string, call: () => void) =>
      assertThrows(call, kind, message);
    fails(TypeError, "logits are [2, 20]", () => ctc(x.view([2, 20]), lengths, [[1], [1]]));
    fails(TypeError, "lengths are [1], targets are [2]", () => ctc(x, [5], [[1], [1]]));
    fails(TypeError, "found i32", () => ctc(gpu.zeros([1, 1, 1], "i32"), [1], [[]]));
    fails(RangeError, "there must be an utterance", () => ctc(gpu.zeros([0, 5, 4]), [], []));
    fails(
      RangeError,
      "frameLengths[1] must be a whole number below 6: found 6",
      () => ctc(x, [5, 6], [[], []]),
    );
    fails(
      RangeError,
      "targets[1][0] must be a whole number below 4: found 4",
      () => ctc(x, lengths, [[1], [4]]),
    );
    fails(
      RangeError,
      "targets[0][1] must be a whole number below 4: found -1",
      () => ctc(x, lengths, [[1, -1], []]),
    );
    fails(RangeError, "labels must not be the blank: targets[0][0] is 0", () => ctc(x, lengths, [[0], []]));
    fails(
      RangeError,
      "the blank must be a whole number below 4: found 4",
      () => ctc(x, lengths, [[], []], { blank: 4 }),
    );
    fails(RangeError, "2000 frames of 3 states and 5 labels need 80000", () => {
      ctc(small.zeros([1, 2000, 5]), [2000], [[1]]);
    });
  });
});
