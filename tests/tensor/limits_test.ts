// With lowered limits, which split small tensors as large ones otherwise are, every operation has the same result as
// without.
import { assert, assertEquals } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { gate } from "../../kernels/gate.ts";
import { gelu } from "../../kernels/gelu.ts";
import { linear } from "../../kernels/linear.ts";
import { matmul } from "../../kernels/matmul.ts";
import { positionalConv } from "../../kernels/positional_conv.ts";
import { scale } from "../../kernels/scale.ts";
import { sum } from "../../kernels/sum.ts";
import { sumRows } from "../../kernels/sum_rows.ts";
import type { GemmVariant } from "../../kernels/gemm/choice.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { backward } from "../../tensor/backward.ts";
import type { TensorData } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { variants } from "../full.ts";
import { assertNoHalf, testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { type Nd, randomNd } from "../oracle/nd.ts";

/** 16,384 elements in a binding, 256 workgroups in a dispatch, 64 by 64 texels of four elements in a texture. */
const limits = { bindingBytes: 65536, workgroups: 16, texture: 64 };

type Op = (inputs: Tensor[]) => Tensor;

/** The value of an operation and the gradients of all its inputs. */
async function compute(gpu: Gpu, inputs: Nd[], op: Op): Promise<TensorData[]> {
  const lent = () => [gpu.pool.live, gpu.textures.live];
  const before = lent();
  const tensors = inputs.map((input) => upload(gpu, input));
  for (const tensor of tensors) tensor.requiresGrad = true;
  const results = gpu.scope(() => {
    const y = op(tensors);
    const grads = backward(y, { gradient: upload(gpu, randomNd([...y.shape], 99)) });
    return [y, ...tensors.map((tensor) => grads.get(tensor)!)];
  });
  const values = await Promise.all(results.map((tensor) => tensor.read()));
  for (const tensor of [...results, ...tensors]) tensor.dispose();
  assertEquals(lent(), before);
  return values;
}

async function checkSplit(
  name: string,
  shapes: number[][],
  op: Op,
  gemm: GemmVariant = "texture",
): Promise<void> {
  const inputs = shapes.map((shape, seed) => randomNd(shape, seed + 1));
  assert(inputs.some(({ data }) => data.length * 4 > limits.bindingBytes), `${name} is not split`);
  const whole = await compute(await testGpu({ gemm }), inputs, op);
  const split = await compute(await testGpu({ gemm, limits }), inputs, op);
  whole.forEach((expected, i) => {
    assertClose(`${name}: ${i === 0 ? "value" : `gradient of input ${i - 1}`}`, split[i]!, expected);
  });
}

for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture", "tile-32")) {
  Deno.test(`a linear layer of f16 in parts, with a residual of f32, ${gemm}`, async () => {
    const [whole, narrow] = [await testGpu({ gemm }), await testGpu({ gemm, limits })];
    if (!whole.half) return assertNoHalf(whole);
    for (const [rows, inputs, outputs] of [[517, 67, 35], [401, 35, 101], [130, 300, 20]] as const) {
      const [x, w, r] = [[rows, inputs], [outputs, inputs], [rows, outputs]].map((shape, i) => {
        return Float16Array.from(randomNd(shape, i + 1).data);
      });
      const compute = async (gpu: Gpu) => {
        using y = gpu.scope(() => {
          const residual = gpu.tensor(Float32Array.from(r!), [rows, outputs]);
          const [a, b] = [gpu.tensor(x!, [rows, inputs]), gpu.tensor(w!, [outputs, inputs])];
          return linear(a, b, null, { residual, gelu: true, dtype: "f16" });
        });
        return await y.read();
      };
      const name = `${rows}x${inputs}x${outputs}`;
      assertClose(name, await compute(narrow), await compute(whole), { rtol: 2 ** -11 });
    }
  });
}

Deno.test("elementwise operations and reductions in windows", async () => {
  for (const shape of [[40_000], [16_385], [3, 129, 101]]) {
    await checkSplit(`gelu [${shape}]`, [shape], ([x]) => gelu(x!));
    await checkSplit(`scale [${shape}]`, [shape], ([x]) => scale(x!, -2));
    await checkSplit(`add [${shape}]`, [shape, shape], ([a, b]) => add(a!, b!));
    await checkSplit(`add to itself [${shape}]`, [shape], ([a]) => add(a!, a!));
    await checkSplit(`sum [${shape}]`, [shape], ([x]) => sum(x!));
  }
  for (const [rows, columns] of [[301, 67], [20_000, 1], [257, 256], [70_001, 2]] as const) {
    await checkSplit(`sumRows ${rows}x${columns}`, [[rows, columns]], ([x]) => sumRows(x!));
    await checkSplit(`gate ${rows}x${columns}`, [[rows, columns], [columns]], ([x, z]) => gate(x!, z!));
    await checkSplit(`add ${rows}x${columns}`, [[rows, columns], [columns]], ([a, b]) => add(a!, b!));
  }
});

for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture", "tile-32")) {
  Deno.test(`matmul in parts, all transposes, ${gemm}`, async () => {
    // Batch, m, n, k: a long reduction, many rows, many columns, many items, each with sizes that divide badly.
    for (
      const [batch, m, n, k] of [[1, 9, 5, 4099], [2, 517, 67, 35], [1, 33, 701, 37], [
        9,
        65,
        63,
        33,
      ]] as const
    ) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          await checkSplit(
            `matmul ${[batch, m, n, k]} ${transposeA} ${transposeB}`,
            [[batch, ...(transposeA ? [k, m] : [m, k])], [batch, ...(transposeB ? [n, k] : [k, n])]],
            ([a, b]) => matmul(a!, b!, { transposeA, transposeB }),
            gemm,
          );
        }
      }
    }
  });

  Deno.test(`linear with its epilogue in parts, ${gemm}`, async () => {
    for (
      const [rows, inputs, outputs] of [[301, 67, 70], [70, 256, 71], [65, 64, 256], [5, 4100, 9]] as const
    ) {
      await checkSplit(
        `linear ${[rows, inputs, outputs]}`,
        [[rows, inputs], [outputs, inputs], [outputs], [outputs], [rows, outputs]],
        ([x, w, b, gate, residual]) => linear(x!, w!, b!, { gelu: true, gate: gate!, residual: residual! }),
        gemm,
      );
    }
  });
}

// These have the same GEMMs, which the tests above split with both kernels.
for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture")) {
  Deno.test(`conv1d in parts, ${gemm}`, async () => {
    // Batch, frames, channels, outputs, taps, stride.
    const sizes = [[2, 301, 64, 99, 3, 2], [1, 18_011, 1, 12, 10, 5], [3, 200, 33, 65, 2, 2], [
      2,
      150,
      129,
      16,
      5,
      1,
    ]];
    for (
      const [batch, frames, channels, outputs, taps, stride] of sizes as [
        number,
        number,
        number,
        number,
        number,
        number,
      ][]
    ) {
      await checkSplit(
        `conv1d ${[batch, frames, channels, outputs, taps, stride]}`,
        [[batch, frames, channels], [outputs, taps, channels], [outputs], [outputs]],
        ([x, w, b, gate]) => conv1d(x!, w!, b!, { stride, gelu: true, gate: gate! }),
        gemm,
      );
    }
  });

  Deno.test(`positionalConv in parts, ${gemm}`, async () => {
    // Batch, frames, groups, channels of a group, taps.
    for (
      const [batch, frames, groups, width, taps] of [[2, 101, 4, 24, 16], [1, 300, 2, 33, 7], [
        3,
        90,
        16,
        6,
        8,
      ]] as const
    ) {
      const channels = groups * width;
      await checkSplit(
        `positionalConv ${[batch, frames, groups, width, taps]}`,
        [[batch, frames, channels], [channels, taps, width], [channels]],
        ([x, w, b]) => positionalConv(x!, w!, b!, { groups, gelu: true }),
        gemm,
      );
    }
  });

  Deno.test(`attention in parts, ${gemm}`, async () => {
    // Batch, frames, heads, elements of a head.
    for (const [batch, frames, heads, width] of [[2, 97, 3, 33], [1, 250, 2, 35], [3, 67, 4, 64]] as const) {
      const shape = [batch, frames, heads * width];
      const lengths = [frames, frames - 30, 1].slice(0, batch);
      await checkSplit(
        `attention ${[batch, frames, heads, width]}`,
        [shape, shape, shape, [heads]],
        ([q, k, v, gate]) => attention(q!, k!, v!, { heads, lengths, gate: gate! }),
        gemm,
      );
    }
    await checkSplit(
      "attention with bias",
      [[2, 90, 100], [2, 90, 100], [2, 90, 100], [1, 90, 92]],
      ([q, k, v, bias]) => attention(q!, k!, v!, { heads: 1, bias: bias! }),
      gemm,
    );
  });
}
