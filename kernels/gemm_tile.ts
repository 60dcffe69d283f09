import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import gelu from "./_gelu.wgsl" with { type: "text" };
import index from "../tensor/_index.wgsl" with { type: "text" };
import one from "../tensor/_one.wgsl" with { type: "text" };
import { batchOf, type Gemm, type Operand } from "./gemm.ts";
import { epilogueOf } from "./gemm_epilogue.ts";
import { beyond, beyondBinding, readRange, sliceOf, writtenRange } from "./gemm_ranges.ts";
import source from "./gemm_tile.wgsl" with { type: "text" };

const kernel = new Kernel("gemm_tile", source, [gelu, one, index]);

const TILE = 64;

/** Longest reduction of one dispatch: software adapters cut loops short past 65,535 rounds. */
const LONGEST = 16_384;

/** How far a product is beyond what {@linkcode runTile} can do; 0 if it fits. */
export function tileExcess(gpu: Gpu, problem: Gemm): number {
  const { a, b, m, n, k: [k1, k2] } = problem;
  const ranges = [readRange(problem, a, m), readRange(problem, b, n), writtenRange(problem)];
  return ranges.reduce((sum, range) => sum + beyondBinding(gpu, range), beyond(k1 * k2, LONGEST));
}

/** Computes a product by tiles staged in workgroup memory, straight from the operands' buffers. */
export function runTile(gpu: Gpu, problem: Gemm): void {
  const { m, n, k: [k1, k2], c } = problem;
  const [z1, z2] = batchOf(problem);
  const operand = (name: "a" | "b", o: Operand, outer: number) => {
    const { slice, base } = sliceOf(o.tensor, readRange(problem, o, outer), o.offset ?? 0);
    const params = {
      base,
      z1: o.z1 ?? 0,
      z2: o.z2 ?? 0,
      k1: o.k1 ?? 0,
      row: o.row,
      height: o.height,
      y0: o.y0 ?? 0,
      step: o.step ?? 1,
      tap: o.tap ?? 0,
      z2_step: o.z2Step ?? 0,
    };
    const named = Object.entries(params).map(([key, value]) => [`${name}_${key}`, value]);
    return { slice, params: Object.fromEntries(named) as Record<string, number> };
  };
  const a = operand("a", problem.a, m);
  const b = operand("b", problem.b, n);
  const epilogue = epilogueOf(problem);
  gpu.run(kernel, {
    bind: { a: a.slice, b: b.slice, ...epilogue.bind },
    constants: {
      A_ALONG_K: problem.a.alongK,
      B_ALONG_K: problem.b.alongK,
      TAPS: k1 > 1,
      ...epilogue.constants,
    },
    params: {
      m,
      n,
      k1,
      k2,
      z: z1 * z2,
      z2,
      ...a.params,
      ...b.params,
      c_z1: c.z1 ?? 0,
      c_z2: c.z2 ?? 0,
      c_row: c.row,
      ...epilogue.params,
    },
    workgroups: Math.ceil(m / TILE) * Math.ceil(n / TILE) * z1 * z2,
  });
}
