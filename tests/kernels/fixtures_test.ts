// The operations on the device against PyTorch: every tensor of ops.safetensors. tests/testdata/README.md explains the names.
import { assertEquals } from "@std/assert";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { ctc, type CtcOptions } from "../../kernels/ctc.ts";
import { gelu } from "../../kernels/gelu.ts";
import { groupNorm } from "../../kernels/group_norm.ts";
import { layerNorm } from "../../kernels/layer_norm.ts";
import { linear } from "../../kernels/linear.ts";
import { positionalConv } from "../../kernels/positional_conv.ts";
import { weightNorm } from "../../kernels/weight_norm.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../../kernels/gemm/choice.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Fixtures } from "../fixtures.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { type Nd, nd, permute, reshape } from "../oracle/nd.ts";
import { assertClose, upload } from "./check_op.ts";

type Layout = (x: Nd) => Nd;
const same: Layout = (x) => x;
const flat: Layout = (x) => reshape(x, [x.data.length]);
/** Channels first to channels last, and [O, C, K] to [O, K, C]. */
const swap: Layout = (x) => permute(x, [0, 2, 1]);
/** [B, H, T, D] to [B, T, H·D]. */
const merge: Layout = (x) => reshape(permute(x, [0, 2, 1, 3]), [2, 7, 12]);

/** Relative to each tensor's largest value. */
const bound = { rtol: 2e-5, atol: 0 };

const file = new Fixtures("ops.safetensors");

async function compare(
  variant: GemmVariant,
  op: string,
  inputs: Record<string, Layout>,
  layout: Layout,
  apply: (inputs: Tensor[]) => Tensor,
): Promise<void> {
  const gpu = await testGpu({ gemm: variant });
  const names = Object.keys(inputs);
  const tensors = names.map((name) => upload(gpu, inputs[name]!(file.nd(`${op}.${name}`))));
  for (const tensor of tensors) tensor.requiresGrad = true;
  const seed = upload(gpu, layout(file.nd(`${op}.gy`)));
  const { y, grads } = gpu.scope(() => {
    const y = apply(tensors);
    return { y, grads: backward(y, { gradient: seed }) };
  });
  assertClose(`${op}.y`, await y.read(), layout(file.nd(`${op}.y`)).data, bound);
  for (const [i, name] of names.entries()) {
    const expected = inputs[name]!(file.nd(`${op}.grad.${name}`));
    assertClose(`${op}.grad.${name}`, await grads.get(tensors[i]!)!.read(), expected.data, bound);
  }
}

for (const variant of variants(GEMM_VARIANTS, "texture")) {
  const check = compare.bind(null, variant);

  Deno.test(`operations agree with ops.safetensors, ${variant}`, async () => {
    await check("gelu", { x: same }, same, ([x]) => gelu(x!));
    await check("layer_norm", { x: same, w: same, b: same }, same, ([x, w, b]) => layerNorm(x!, w!, b!));
    await check("group_norm", { x: swap, w: same, b: same }, swap, ([x, w, b]) => groupNorm(x!, w!, b!));
    await check("linear", { x: same, w: same, b: same }, same, ([x, w, b]) => linear(x!, w!, b!));
    await check("conv_k10s5", { x: swap, w: swap }, swap, ([x, w]) => conv1d(x!, w!, null, { stride: 5 }));
    await check("conv_k2s2", { x: swap, w: swap }, swap, ([x, w]) => conv1d(x!, w!, null, { stride: 2 }));
    await check(
      "conv_k3s2_bias",
      { x: swap, w: swap, b: same },
      swap,
      ([x, w, b]) => conv1d(x!, w!, b!, { stride: 2 }),
    );
    for (const [op, groups] of [["pos_conv_even", 2], ["pos_conv_odd", 4]] as const) {
      await check(
        op,
        { x: swap, v: swap, g: flat, b: same },
        swap,
        ([x, v, g, b]) => positionalConv(x!, weightNorm(v!, g!), b!, { groups }),
      );
    }
    await check(
      "attention_masked",
      { q: merge, k: merge, v: merge },
      merge,
      ([q, k, v]) => attention(q!, k!, v!, { heads: 3, lengths: [7, 5] }),
    );
  });
}

Deno.test("CTC agrees with ops.safetensors", async () => {
  const gpu = await testGpu();
  const cases: [name: string, frames: string, lengths: string, options: CtcOptions][] = [
    ["ctc_mean", "ctc", "ctc", { reduction: "mean" }],
    ["ctc_sum", "ctc", "ctc", { reduction: "sum" }],
    ["ctc_none", "ctc", "ctc", { reduction: "none" }],
    ["ctc_empty_target_sum", "ctc", "ctc_empty", { reduction: "sum" }],
    ["ctc_infeasible_zero_infinity_mean", "ctc_infeasible", "ctc", {
      reduction: "mean",
      zeroInfinity: true,
    }],
  ];
  const padded = file.integers("ctc.targets");
  for (const [name, frames, lengths, options] of cases) {
    using logits = upload(gpu, file.nd(`${name}.logits`));
    logits.requiresGrad = true;
    const frameLengths = file.integers(`${frames}.input_lengths`);
    const targets = file.integers(`${lengths}.target_lengths`)
      .map((length, n) => padded.slice(4 * n, 4 * n + length));
    const { y, dx } = gpu.scope(() => {
      const y = ctc(logits, frameLengths, targets, options);
      const ones = upload(gpu, nd(y.shape, new Float64Array(y.size).fill(1)));
      return { y, dx: backward(y, { gradient: ones }).get(logits)! };
    });
    assertClose(`${name}.y`, await y.read(), file.nd(`${name}.y`).data, bound);
    assertClose(`${name}.grad.logits`, await dx.read(), file.nd(`${name}.grad.logits`).data, bound);
  }
});

Deno.test("every tensor of ops.safetensors was compared", () => {
  assertEquals(file.unread(), []);
});
