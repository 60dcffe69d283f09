// Operands that operations refuse before they allocate memory: integers in place of floats, sizes that do not match,
// disposed tensors.
import { assertEquals, assertThrows } from "@std/assert";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { linear } from "../../kernels/linear.ts";
import { matmul } from "../../kernels/matmul.ts";
import { positionalConv } from "../../kernels/positional_conv.ts";
import { weightNorm } from "../../kernels/weight_norm.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";

/** A call with inputs of these shapes, by name. */
interface Case {
  readonly shapes: Record<string, number[]>;
  readonly op: (inputs: Record<string, Tensor>) => Tensor;
}

const cases: Case[] = [
  { shapes: { a: [2, 3], b: [3, 4] }, op: ({ a, b }) => matmul(a!, b!) },
  {
    shapes: { x: [5, 3], w: [4, 3], b: [4], gate: [4], residual: [5, 4] },
    op: ({ x, w, b, gate, residual }) => linear(x!, w!, b!, { gate: gate!, residual: residual! }),
  },
  {
    shapes: { x: [2, 9, 3], w: [4, 3, 3], b: [4], gate: [4] },
    op: ({ x, w, b, gate }) => conv1d(x!, w!, b!, { gate: gate! }),
  },
  {
    shapes: { x: [2, 9, 6], w: [6, 3, 3], b: [6] },
    op: ({ x, w, b }) => positionalConv(x!, w!, b!, { groups: 2 }),
  },
  {
    shapes: { q: [2, 5, 6], k: [2, 5, 6], v: [2, 5, 6], gate: [2], bias: [2, 5, 8] },
    op: ({ q, k, v, gate, bias }) => attention(q!, k!, v!, { heads: 2, gate: gate!, bias: bias! }),
  },
  { shapes: { v: [4, 3, 2], g: [3] }, op: ({ v, g }) => weightNorm(v!, g!) },
];

/** Calls every operation with each of its inputs in turn replaced by what `make` returns. */
async function eachInput(
  make: (gpu: Gpu, shape: number[]) => Tensor,
  check: (call: () => Tensor, name: string, shape: number[]) => void,
): Promise<void> {
  const gpu = await testGpu();
  const lent = () => [gpu.pool.live, gpu.textures.live];
  const before = lent();
  for (const { shapes, op } of cases) {
    for (const [name, shape] of Object.entries(shapes)) {
      const inputs = Object.entries(shapes).map(([key, shape]) =>
        [key, key === name ? make(gpu, shape) : gpu.zeros(shape)] as const
      );
      const live = lent();
      check(() => op(Object.fromEntries(inputs)), name, shape);
      assertEquals(lent(), live, `${op} with another ${name}`);
      for (const [, tensor] of inputs) tensor.dispose();
    }
  }
  assertEquals(lent(), before);
}

Deno.test("integers are refused by name", () =>
  eachInput(
    (gpu, shape) => gpu.zeros(shape, "i32"),
    (call, name) => assertThrows(call, TypeError, `${name} must be f32: found i32`),
  ));

Deno.test("a disposed tensor is refused", () =>
  eachInput(
    (gpu, shape) => {
      const tensor = gpu.zeros(shape);
      tensor.dispose();
      return tensor;
    },
    (call, _, shape) =>
      assertThrows(call, ReferenceError, `it was disposed: its shape was [${shape.join(", ")}]`),
  ));

Deno.test("sizes that do not match are refused with the shapes", async () => {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  gpu.scope(() => {
    const of = (...shape: number[]) => gpu.zeros(shape);
    const conv = (x: Tensor, w: Tensor, stride = 1) => () => conv1d(x, w, of(4), { stride });
    const attend = (q: Tensor, k: Tensor, lengths: number[]) => () =>
      attention(q, k, of(2, 5, 6), { heads: 2, lengths });
    const refused: [() => Tensor, string][] = [
      [
        () => matmul(of(8, 64), of(32, 10)),
        "Cannot multiply as inner sizes must be equal: a is [8, 64], b is [32, 10]",
      ],
      [
        () => matmul(of(3, 2), of(3, 2), { transposeA: true, transposeB: true }),
        "Cannot multiply as inner sizes must be equal: a is [3, 2], b is [3, 2]",
      ],
      [
        () => matmul(of(2, 3, 4), of(3, 4, 3)),
        "Cannot multiply as leading dimensions must be equal: a is [2, 3, 4], b is [3, 4, 3]",
      ],
      [() => matmul(of(3), of(3, 1)), "Cannot multiply as operands must be matrices: a is [3], b is [3, 1]"],
      [
        () => linear(of(5, 3), of(4, 2)),
        "Cannot apply a linear layer as inner sizes must be equal: x is [5, 3], w is [4, 2]",
      ],
      [() => linear(of(5, 3), of(4, 3), of(3)), "Cannot apply a linear layer as b must be [4]: found [3]"],
      [
        () => linear(of(5, 3), of(4, 3), null, { residual: of(4) }),
        "Cannot apply a linear layer as residual must be [5, 4]: found [4]",
      ],
      [
        () => linear(of(5, 3), of(4, 3), null, { gate: of(1) }),
        "Cannot apply a linear layer as gate must be [4]: found [1]",
      ],
      [
        conv(of(2, 9, 3), of(4, 3, 2)),
        "Cannot convolve as input channels must be equal: x is [2, 9, 3], w is [4, 3, 2]",
      ],
      [
        conv(of(2, 2, 3), of(4, 3, 3)),
        "Cannot convolve as there must be a frame for every tap: x is [2, 2, 3], w is [4, 3, 3]",
      ],
      [conv(of(2, 9, 3), of(4, 3, 3), 0), "Cannot convolve as the stride must be a positive whole number: 0"],
      [conv(of(9, 3), of(4, 3, 3)), "Cannot convolve as x must have 3 dimensions: found [9, 3]"],
      [
        () => positionalConv(of(2, 9, 6), of(6, 3, 3), null, { groups: 3 }),
        "Cannot convolve as w must be [C, K, C/groups] with 3 groups: x is [2, 9, 6], w is [6, 3, 3]",
      ],
      [attend(of(2, 5, 6), of(2, 4, 6), [5, 5]), "Cannot attend as k must be [2, 5, 6]: found [2, 4, 6]"],
      [
        attend(of(2, 5, 6), of(2, 5, 6), [5]),
        "Cannot attend as there must be one length per utterance: 1 for 2",
      ],
      [attend(of(2, 5, 6), of(2, 5, 6), [5, 6]), "Cannot attend as lengths must be from 0 to 5: found 6"],
      [
        () => attention(of(2, 5, 6), of(2, 5, 6), of(2, 5, 6), { heads: 4 }),
        "Cannot attend as the columns must split into 4 heads: q is [2, 5, 6]",
      ],
      [
        () => weightNorm(of(4, 3, 2), of(4)),
        "Cannot norm a weight as there must be one length per tap: v is [4, 3, 2], g is [4]",
      ],
    ];
    for (const [call, message] of refused) assertThrows(call, Error, message);
  });
  assertEquals(gpu.pool.live, live);
});
