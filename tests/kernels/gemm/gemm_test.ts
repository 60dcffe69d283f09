// GEMM against its definition: every layout of an operand in memory, with NaN in all elements that a kernel must not read, or
// must not count.
import { assertEquals } from "@std/assert";
import { gemm } from "../../../kernels/gemm/gemm.ts";
import type { GemmProblem, Operand } from "../../../kernels/gemm/problem.ts";
import { planTexture } from "../../../kernels/gemm/texture.ts";
import { inEights } from "../../../tensor/adapter_info.ts";
import { accumulate } from "../../../tensor/accumulate.ts";
import { fill } from "../../../tensor/fill.ts";
import type { Gpu } from "../../../tensor/gpu.ts";
import type { DType } from "../../../tensor/dtype.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../../../kernels/gemm/choice.ts";
import { full, variants } from "../../full.ts";
import { assertNoHalf, testGpu } from "../../gpu.ts";
import { randomNd } from "../../oracle/nd.ts";
import { assertClose } from "../check_op.ts";

/** An operand but for its tensor. */
type Place = Omit<Operand, "tensor">;

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: readonly [number, number];
  readonly batch?: readonly [number, number];
  readonly a: Place;
  readonly b: Place;
}

/** Address of an element, by the definition of an operand; null for a row outside the image. */
function addressOf(o: Place, i: number, k1: number, k2: number, z1: number, z2: number): number | null {
  const { offset = 0, row, y0 = 0, step = 1, tap = 0, z2Step = 0 } = o;
  const y = y0 + (o.alongK ? i : k2) * step + k1 * tap + z2 * z2Step;
  if (y < 0 || y >= o.height) return null;
  return offset + z1 * (o.z1Stride ?? 0) + z2 * (o.z2Stride ?? 0) + k1 * (o.k1Stride ?? 0) + y * row +
    (o.alongK ? k2 : i);
}

/** Calls `each` with every pair of addresses that is multiplied, and the index of its sum. */
function terms(
  { m, n, k: [k1, k2], batch: [z1, z2] = [1, 1], a, b }: Case,
  each: (a: number | null, b: number | null, c: number) => void,
): void {
  for (let c = 0; c < z1 * z2 * m * n; c++) {
    const [z, row, column] = [Math.floor(c / m / n), Math.floor(c / n) % m, c % n];
    for (let k = 0; k < k1 * k2; k++) {
      const at = [Math.floor(k / k2), k % k2, Math.floor(z / z2), z % z2] as const;
      each(addressOf(a, row, ...at), addressOf(b, column, ...at), c);
    }
  }
}

const cases: Record<string, Case> = {
  "rows of whole texels": {
    m: 9,
    n: 21,
    k: [1, 20],
    a: { height: 9, row: 24, alongK: true, offset: 4 },
    b: { height: 20, row: 28, alongK: false, offset: 8 },
  },
  "K of part of a texel": {
    m: 17,
    n: 5,
    k: [2, 7],
    a: { height: 17, row: 8, alongK: true, k1Stride: 140 },
    b: { height: 7, row: 8, alongK: false, k1Stride: 64 },
  },
  "the same the other way": {
    m: 18,
    n: 19,
    k: [3, 10],
    a: { height: 10, row: 20, alongK: false, k1Stride: 220 },
    b: { height: 19, row: 12, alongK: true, k1Stride: 240 },
  },
  "odd rows at an odd offset": {
    m: 6,
    n: 7,
    k: [1, 5],
    batch: [2, 3],
    a: { height: 6, row: 5, alongK: true, offset: 3, z1Stride: 101, z2Stride: 33 },
    b: { height: 5, row: 7, alongK: false, offset: 1, z2Stride: 37 },
  },
  "rows far apart, by heads": {
    m: 20,
    n: 18,
    k: [1, 64],
    batch: [1, 3],
    a: { height: 20, row: 256, alongK: true, z2Stride: 64 },
    b: { height: 18, row: 512, alongK: true, offset: 128, z2Stride: 64 },
  },
  "whole K-tiles, nothing outside": {
    m: 36,
    n: 20,
    k: [1, 96],
    batch: [2, 1],
    a: { height: 98, row: 36, alongK: false, y0: 2, z1Stride: 3600 },
    b: { height: 96, row: 24, alongK: false },
  },
  "whole K-tiles of more than a tile, both operands along k": {
    m: 130,
    n: 133,
    k: [1, 32],
    a: { height: 130, row: 32, alongK: true },
    b: { height: 133, row: 36, alongK: true, offset: 4 },
  },
  "whole K-tiles of more than a tile, A along k": {
    m: 70,
    n: 68,
    k: [1, 96],
    a: { height: 70, row: 96, alongK: true },
    b: { height: 96, row: 68, alongK: false },
  },
  "whole K-tiles of rows partly outside": {
    m: 20,
    n: 12,
    k: [1, 32],
    batch: [2, 1],
    a: { height: 17, row: 32, alongK: true, y0: -2, z1Stride: 17 * 32 },
    b: { height: 32, row: 12, alongK: false },
  },
  "whole K-tiles of several taps": {
    m: 20,
    n: 12,
    k: [2, 32],
    a: { height: 21, row: 32, alongK: true, tap: 1 },
    b: { height: 32, row: 12, alongK: false, k1Stride: 400 },
  },
  "overlapping rows": {
    m: 12,
    n: 9,
    k: [3, 8],
    batch: [2, 1],
    a: { height: 26, row: 8, alongK: true, step: 2, tap: 1, z1Stride: 26 * 8 },
    b: { height: 27, row: 8, alongK: true, step: 3, tap: 1 },
  },
  "rows outside the image, backwards": {
    m: 13,
    n: 8,
    k: [3, 12],
    batch: [2, 1],
    a: { height: 11, row: 12, alongK: true, tap: -1, z1Stride: 144 },
    b: { height: 36, row: 8, alongK: false, step: 3, tap: 1 },
  },
  "padding of B": {
    m: 5,
    n: 6,
    k: [2, 9],
    batch: [1, 5],
    a: { height: 9, row: 8, alongK: false, k1Stride: 80 },
    b: { height: 9, row: 8, alongK: false, y0: -2, z2Step: 1, k1Stride: 80 },
  },
  "long sums of few elements": {
    m: 3,
    n: 10,
    k: [3, 2001],
    a: { height: 2001, row: 4, alongK: false, k1Stride: 8016 },
    b: { height: 2001, row: 12, alongK: false, k1Stride: 24024 },
  },
};

/** Types of both operands and of C. */
type Types = readonly [DType, DType, DType];

/** Every kernel with elements of either type, and some with both. */
const kernels: readonly (readonly [GemmVariant, Types])[] = [
  ...GEMM_VARIANTS.map((variant) => [variant, ["f32", "f32", "f32"]] as const),
  ...variants(GEMM_VARIANTS, "texture", "tile-32").map((variant) =>
    [variant, ["f16", "f16", "f16"]] as const
  ),
  ["texture", ["f32", "f16", "f32"]],
  ["tile-32", ["f32", "f16", "f32"]],
  ["tile-32", ["f16", "f32", "f16"]],
];

/**
 * Cases for a kernel: in the default suite two for the larger tiles and for f16 in tiles, whose addressing is that of the
 * smallest with f32. They have several tiles with edges, and vectorised loads or not.
 */
function casesOf(variant: GemmVariant, types: Types): [string, Case][] {
  const all = Object.entries(cases);
  if (full || variant === "texture" || variant === "tile-32" && !types.includes("f16")) return all;
  return all.filter(([name, { m }]) => m > 100 || name.startsWith("odd rows"));
}

/** Arrays of a type. */
const arrayOf = (dtype: DType) => dtype === "f16" ? Float16Array : Float32Array;

/** A tensor of `values` where an operand reads, and of NaN elsewhere, also past its end. */
function around(gpu: Gpu, values: Float64Array, read: ReadonlySet<number>, dtype: DType) {
  return gpu.tensor(arrayOf(dtype).from(values.map((value, at) => read.has(at) ? value : NaN)));
}

for (const [variant, types] of kernels) {
  const [typeA, typeB, typeC] = types;
  const how = types.includes("f16") ? `${types.join(" ")}, ${variant}` : variant;
  Deno.test(`GEMM equals its definition, whatever surrounds its operands, ${how}`, async () => {
    const gpu = await testGpu({ gemm: variant });
    if (types.includes("f16") && !gpu.half) return assertNoHalf(gpu);
    for (const [name, one] of casesOf(variant, types)) {
      const { m, n, batch: [z1, z2] = [1, 1] } = one;
      const reads = { a: new Set<number>(), b: new Set<number>() };
      terms(one, (a, b) => {
        if (a !== null) reads.a.add(a);
        if (b !== null) reads.b.add(b);
      });
      const size = 1 + Math.max(...reads.a, ...reads.b) + 40;
      const a = Float64Array.from(arrayOf(typeA).from(randomNd([size], 1).data));
      const b = Float64Array.from(arrayOf(typeB).from(randomNd([size], 2).data));
      const expected = new Float64Array(z1 * z2 * m * n);
      terms(one, (i, j, c) => {
        if (i !== null && j !== null) expected[c]! += a[i]! * b[j]!;
      });
      const run = async () => {
        using left = around(gpu, a, reads.a, typeA);
        using right = around(gpu, b, reads.b, typeB);
        using c = gpu.empty([z1, z2, m, n], typeC);
        const place = { tensor: c, row: n, z1Stride: z2 * m * n, z2Stride: m * n };
        gemm(gpu, { ...one, a: { ...one.a, tensor: left }, b: { ...one.b, tensor: right }, c: place });
        return await c.read();
      };
      const once = await run();
      assertClose(name, once, expected, typeC === "f16" ? { rtol: 2 ** -11 } : {});
      assertEquals(await run(), once, `${name}, twice`);
    }
  });
}

/** Dot product [1, 1] of two vectors, as a GEMM. */
function dot(a: Tensor, b: Tensor): Tensor {
  const { gpu, size: k } = a;
  const c = gpu.empty([1, 1]);
  const place = { height: 1, row: k, alongK: true };
  gemm(gpu, {
    m: 1,
    n: 1,
    k: [1, k],
    a: { tensor: a, ...place },
    b: { tensor: b, ...place },
    c: { tensor: c, row: 1 },
  });
  return c;
}

Deno.test("tiles of a software adapter share loads in a subgroup without changing a bit", async () => {
  const [sharing, alone] = [
    await testGpu({ gemm: "texture" }),
    await testGpu({ gemm: "texture", subgroups: false }),
  ];
  assertEquals([sharing.shuffles, alone.shuffles], [sharing.software && inEights(sharing.adapter), false]);
  // 4×2 tiles of 8×8 and of 16×16, too few rows or columns; in a batch 4×2 of 8×8 and of 16×16, 2×4, 4×2 of 16×12, none of three small tiles
  const sizes = [
    [true, 1, 29, 61, 37],
    [true, 1, 90, 250, 519],
    [true, 1, 500, 20, 1100],
    [false, 1, 24, 20, 33],
    [false, 1, 62, 7, 19],
    [true, 2, 31, 70, 35],
    [true, 2, 62, 15, 19],
    [true, 2, 90, 20, 1500],
    [true, 2, 90, 150, 1100],
    [true, 2, 90, 45, 1100],
    [false, 2, 62, 24, 19],
  ] as const;
  for (const [shares, batch, m, n, k] of sizes) {
    const name = `${batch}×${m}×${n}×${k}`;
    const read = async (gpu: Gpu) => {
      const values = (seed: number, size: number) =>
        gpu.tensor(Float32Array.from(randomNd([size], seed).data));
      using a = values(1, batch * m * k);
      using b = values(2, batch * k * n);
      using c = gpu.empty([batch, m, n]);
      const problem: GemmProblem = {
        ...{ m, n, k: [1, k], batch: [1, batch] },
        a: { tensor: a, height: m, row: k, alongK: true, z2Stride: m * k },
        b: { tensor: b, height: k, row: n, alongK: false, z2Stride: k * n },
        c: { tensor: c, row: n, z2Stride: m * n },
      };
      assertEquals(planTexture(gpu, problem).kernel.shuffles, gpu.shuffles && shares, name);
      gemm(gpu, problem);
      return await c.read();
    };
    assertEquals(await read(sharing), await read(alone), name);
  }
});

Deno.test("an operand is packed anew for rows of fewer elements, but as many texels", async () => {
  const gpu = await testGpu({ gemm: "texture" });
  const [row, m, n] = [11, 2, 4];
  for (const [k, other] of [[11, 1], [9, 1], [10, NaN]] as const) { // elements from the tenth on, which are beyond the last k
    const values = (rows: number) =>
      gpu.tensor(Float32Array.from({ length: rows * row }, (_, i) => i % row < 10 ? 1 : other));
    using a = values(m);
    using b = values(n);
    using c = gpu.empty([m, n]);
    const operands = {
      a: { tensor: a, height: m, row, alongK: true },
      b: { tensor: b, height: n, row, alongK: true },
    };
    gemm(gpu, { m, n, k: [1, k], ...operands, c: { tensor: c, row: n } });
    assertEquals([...await c.read()], Array(m * n).fill(k));
  }
});

Deno.test("GEMM reads its operands as they are now, not as an earlier GEMM read them", async () => {
  const gpu = await testGpu({ gemm: "texture" });
  for (const k of [8, 7]) { // copied, and packed
    const sums = gpu.scope(() => {
      const of = (value: number) => fill(gpu, [k], value);
      const [a, b] = [of(2), of(1)];
      const sums = [dot(a, b), dot(a, b)];
      gpu.copy(of(3), a);
      sums.push(dot(a, b));
      accumulate(a, of(4));
      sums.push(dot(a, b));
      a.dispose();
      sums.push(dot(of(5), b)); // most likely in a's buffer
      return sums;
    });
    const values = await Promise.all(sums.map(async (sum) => (await sum.read())[0]! / k));
    assertEquals(values, [2, 2, 3, 7, 5]);
    for (const sum of sums) sum.dispose();
  }
});

for (const variant of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`GEMMs of one size read their own places in a buffer, ${variant}`, async () => {
    const gpu = await testGpu({ gemm: variant });
    const [k, starts] = [8, [0, 64, 128, 256, 13, 141]]; // some are planned alike
    const values = new Float32Array(320).fill(NaN);
    starts.forEach((start, i) => values.fill(i + 1, start, start + k));
    using all = gpu.tensor(values);
    using b = fill(gpu, [k], 1);
    const sums = starts.map((start) => {
      using a = new Tensor(gpu, all.storage, [k], "f32", start);
      return dot(a, b);
    });
    assertEquals(await Promise.all(sums.map(async (sum) => (await sum.read())[0]! / k)), [1, 2, 3, 4, 5, 6]);
    for (const sum of sums) sum.dispose();
  });
}
