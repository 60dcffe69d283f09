// Operations around a GEMM with operands and results of f16: they agree with the same operands in f32, except for the rounding of
// the result, and have the same gradients.
import { assertEquals } from "@std/assert";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { linear } from "../../kernels/linear.ts";
import { qkvLinear } from "../../kernels/qkv_linear.ts";
import { sum } from "../../kernels/sum.ts";
import { backward } from "../../tensor/backward.ts";
import type { FloatType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { variants } from "../full.ts";
import { assertNoHalf, testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { assertClose } from "./check_op.ts";

/** Operations with f16 operands `x`, and others in f32. */
const operations: Record<string, {
  readonly x: readonly (readonly number[])[];
  readonly others: readonly (readonly number[])[];
  op(x: readonly Tensor[], others: readonly Tensor[], dtype: FloatType): Tensor;
}> = {
  "linear with its epilogue": {
    x: [[2, 5, 12], [9, 12]],
    others: [[9], [9], [2, 5, 9]],
    op: ([x, w], [b, gate, residual], dtype) =>
      linear(x!, w!, b, { gelu: true, gate: gate!, residual: residual!, dtype }),
  },
  "linear of whole texels": {
    x: [[6, 16], [8, 16]],
    others: [],
    op: ([x, w], _, dtype) => linear(x!, w!, null, { dtype }),
  },
  "qkvLinear": {
    x: [[3, 8], [7, 8], [7, 8]],
    others: [[7], [7]],
    op: ([x, ...ws], bs, dtype) => qkvLinear(x!, ws.map((w, i) => ({ w, b: bs[i]! })), dtype)[1]!,
  },
  "conv1d": {
    x: [[2, 11, 6], [5, 3, 6]],
    others: [[5]],
    op: ([x, w], [b], dtype) => conv1d(x!, w!, b, { stride: 2, gelu: true, dtype }),
  },
  "attention": {
    x: [[2, 7, 12], [2, 7, 12], [2, 7, 12]],
    others: [[3]],
    op: ([q, k, v], [gate]) => attention(q!, k!, v!, { heads: 3, lengths: [7, 4], gate: gate! }),
  },
};

for (const gemm of variants(["texture", "tile-32"] as const, "texture")) {
  Deno.test(`operations read and write f16, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    if (!gpu.half) return assertNoHalf(gpu);
    for (const [name, { x, others, op }] of Object.entries(operations)) {
      const operands = x.map((shape, i) => ({ shape, data: Float16Array.from(randomNd(shape, i + 1).data) }));
      const rest = others.map((shape, i) =>
        gpu.tensor(Float32Array.from(randomNd(shape, i + 9).data), shape)
      );
      const run = async (dtype: FloatType) => {
        const tensors = operands.map(({ shape, data }) => {
          return gpu.tensor(dtype === "f16" ? data : Float32Array.from(data), shape);
        });
        for (const tensor of tensors) tensor.requiresGrad = true;
        const [y, ...grads] = gpu.scope(() => {
          const y = op(tensors, rest, dtype);
          const value = y.view();
          // A second linear layer reads the result and gives a loss.
          const columns = y.shape.at(-1)!;
          const w = gpu.tensor(Float32Array.from(randomNd([1, columns], 5).data), [1, columns]);
          const grads = backward(sum(linear(y, w)));
          return [value, ...tensors.flatMap((tensor) => grads.get(tensor) ?? [])] as const;
        });
        assertEquals(y.dtype, dtype);
        const read = await Promise.all([y, ...grads].map((tensor) => tensor.read()));
        for (const tensor of [...tensors, y, ...grads]) tensor.dispose();
        return read;
      };
      const [whole, half] = [await run("f32"), await run("f16")];
      assertClose(name, half[0]!, whole[0]!, { rtol: 2 ** -11 });
      // The loss is linear in y, so that rounding y does not change the gradients.
      half.slice(1).forEach((found, i) => assertClose(`${name}, gradient ${i}`, found, whole[i + 1]!));
      for (const tensor of rest) tensor.dispose();
    }
  });
}
