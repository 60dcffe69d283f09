import index from "../tensor/_index.wgsl" with { type: "text" };
import { areMultiples, divided } from "../tensor/fields.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { wideKernel } from "../tensor/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { WgslTypes } from "../tensor/typed_kernel.ts";
import gelu from "./_gelu.wgsl" with { type: "text" };
import { batchOf, type Gemm } from "./gemm.ts";
import { epilogueOf } from "./gemm_epilogue.ts";
import source from "./gemm_finish.wgsl" with { type: "text" };

const kernelsFor = (types: (width: 1 | 4) => WgslTypes) => {
  return wideKernel("gemm_finish", source, [gelu, index], types);
};
const kernels = {
  f32: kernelsFor(() => ({ Stored: "Number" })),
  f16: kernelsFor((width) => ({ Stored: width === 4 ? "vec4<f16>" : "f16" })),
};

/** `Number`s that an invocation does: on graphics processors neighbours are to do neighbours. */
const chunkOf = (gpu: Gpu) => gpu.software ? 8 : 1;

/** Sums the parts of a product, [parts, rows of all items, columns], into its place, with its epilogue. */
export function finishProduct(gpu: Gpu, problem: Gemm, product: Tensor): void {
  const { m, n, c } = problem;
  const [parts, rows, row] = product.shape as [number, number, number];
  const [z1, z2] = batchOf(problem);
  const { bind: { gate, ...bind }, constants, params } = epilogueOf(problem);
  const { gate_base, gate_z2, gate_n, ...places } = params;
  const perItem = constants.GATE && gate_n === 0;
  // What is counted in `Number`s, of four f32 where all of it allows.
  const numbers: Record<string, number> = {
    n,
    product_part: rows * row,
    product_row: row,
    c_z1: c.z1 ?? 0,
    c_z2: c.z2 ?? 0,
    c_row: c.row,
    ...places,
    ...(!perItem && { gate_base, gate_z2 }),
  };
  const { kernel, width } = kernels[c.tensor.dtype === "f16" ? "f16" : "f32"].pick(
    areMultiples(numbers, 4) ? 4 : 1,
  );
  const chunk = chunkOf(gpu);
  gpu.run(kernel, {
    bind: { product, ...bind, gate: perItem ? null : gate, item_gate: perItem ? gate : null },
    constants: { CHUNK: chunk, ...constants, GATE: constants.GATE && !perItem, ITEM_GATE: perItem },
    params: { m, z: z1 * z2, z2, parts, gate_base, gate_z2, ...divided(numbers, width) },
    workgroups: Math.ceil(z1 * z2 * m * Math.ceil(n / width / chunk) / 64),
  });
}
