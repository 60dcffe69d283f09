// The oracles against PyTorch: every tensor of ops.safetensors and adamw.safetensors.
// tests/testdata/README.md explains the names.
import { assert, assertEquals } from "@std/assert";
import { Fixtures } from "../fixtures.ts";
import { adamw, adamwState } from "./adamw.ts";
import { attention } from "./attention.ts";
import { clipGradNorm } from "./clip_grad_norm.ts";
import { conv1d } from "./conv1d.ts";
import { ctc, ctcGradient, type CtcOptions } from "./ctc.ts";
import { gelu } from "./gelu.ts";
import { groupNorm } from "./group_norm.ts";
import { layerNorm } from "./layer_norm.ts";
import { linear } from "./linear.ts";
import { centralDifference, type Nd, nd, permute, reshape, sameShape } from "./nd.ts";
import { positionalConv } from "./positional_conv.ts";
import { weightNorm } from "./weight_norm.ts";

// Swaps the last two axes: channels-first to channels-last, and [Cout, Cin, K] to [Cout, K, Cin].
const swap = (x: Nd) => permute(x, [0, 2, 1]);
const same = (x: Nd) => x;

// Checks shape and values to `tolerance` times the largest value.
function assertClose(actual: Nd, expected: Nd, what: string, tolerance = 1e-6) {
  assert(sameShape(actual.shape, expected.shape), `${what}: [${actual.shape}] not [${expected.shape}]`);
  const largest = Math.max(...expected.data.map(Math.abs));
  expected.data.forEach((value, i) => {
    const off = Math.abs(actual.data[i]! - value);
    assert(off <= tolerance * largest, `${what}[${i}]: ${actual.data[i]}, expected ${value}`);
  });
}

// Checks the value of an op and its gradient by each input; `layouts` brings every tensor from
// the file's order to the oracle's, the output's layout last.
function checkOp(
  ops: Fixtures,
  op: string,
  inputs: string[],
  layouts: ((x: Nd) => Nd)[],
  f: (...inputs: Nd[]) => Nd,
) {
  const layoutOfY = layouts[inputs.length]!;
  const xs = inputs.map((name, i) => layouts[i]!(ops.nd(`${op}.${name}`)));
  assertClose(f(...xs), layoutOfY(ops.nd(`${op}.y`)), `${op}.y`);
  const cotangent = layoutOfY(ops.nd(`${op}.gy`));
  inputs.forEach((name, i) => {
    const dx = centralDifference((moved) => f(...moved), xs, i, cotangent);
    assertClose(dx, layouts[i]!(ops.nd(`${op}.grad.${name}`)), `${op}.grad.${name}`);
  });
}

Deno.test("the oracles agree with every tensor of ops.safetensors", async (t) => {
  const ops = new Fixtures("ops.safetensors");

  await t.step("gelu", () => {
    checkOp(ops, "gelu", ["x"], [same, same], (x) => gelu(x));
  });

  await t.step("layer_norm", () => {
    const layouts = [same, same, same, same];
    checkOp(ops, "layer_norm", ["x", "w", "b"], layouts, (x, w, b) => layerNorm(x, w, b));
  });

  await t.step("group_norm", () => {
    const layouts = [swap, same, same, swap];
    checkOp(ops, "group_norm", ["x", "w", "b"], layouts, (x, w, b) => groupNorm(x, w, b));
  });

  await t.step("linear", () => {
    const layouts = [same, same, same, same];
    checkOp(ops, "linear", ["x", "w", "b"], layouts, (x, w, b) => linear(x, w, b));
  });

  for (const [op, stride] of [["conv_k10s5", 5], ["conv_k2s2", 2]] as const) {
    await t.step(op, () => {
      checkOp(ops, op, ["x", "w"], [swap, swap, swap], (x, w) => conv1d(x, w, null, { stride }));
    });
  }

  await t.step("conv_k3s2_bias", () => {
    const layouts = [swap, swap, same, swap];
    checkOp(
      ops,
      "conv_k3s2_bias",
      ["x", "w", "b"],
      layouts,
      (x, w, b) => conv1d(x, w, b, { stride: 2 }),
    );
  });

  for (const [op, groups] of [["pos_conv_even", 2], ["pos_conv_odd", 4]] as const) {
    await t.step(op, () => {
      const layouts = [swap, swap, (g: Nd) => reshape(g, [g.data.length]), same, swap];
      checkOp(
        ops,
        op,
        ["x", "v", "g", "b"],
        layouts,
        (x, v, g, b) => positionalConv(x, weightNorm(v, g), b, { groups }),
      );
    });
  }

  await t.step("attention_masked", () => {
    // [B, H, T, D] to [B, T, H·D].
    const merge = (x: Nd) => reshape(permute(x, [0, 2, 1, 3]), [2, 7, 12]);
    checkOp(
      ops,
      "attention_masked",
      ["q", "k", "v"],
      [merge, merge, merge, merge],
      (q, k, v) => attention(q, k, v, { heads: 3, lengths: [7, 5] }),
    );
  });

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
  for (const [name, frames, lengths, options] of cases) {
    await t.step(name, () => {
      const logits = ops.nd(`${name}.logits`);
      const frameLengths = ops.integers(`${frames}.input_lengths`);
      const padded = ops.integers("ctc.targets");
      const targets = ops.integers(`${lengths}.target_lengths`)
        .map((length, n) => padded.slice(4 * n, 4 * n + length));
      const y = ctc(logits, frameLengths, targets, options);
      assertClose(y, ops.nd(`${name}.y`), `${name}.y`);
      const cotangent = nd(y.shape, y.data.map(() => 1));
      const expected = ops.nd(`${name}.grad.logits`);
      assertClose(
        ctcGradient(logits, frameLengths, targets, options, cotangent),
        expected,
        `${name}.grad.logits`,
      );
      const differences = centralDifference(
        (moved) => ctc(moved[0]!, frameLengths, targets, options),
        [logits],
        0,
        cotangent,
      );
      assertClose(differences, expected, `${name}.grad.logits by differences`);
    });
  }

  await t.step("every tensor was compared", () => assertEquals(ops.unread(), []));
});

Deno.test("adamw and clip_grad_norm agree with every tensor of adamw.safetensors", () => {
  const fixtures = new Fixtures("adamw.safetensors");
  const names = ["p", "log_alpha", "lambda"];
  const { betas, eps, clip_norm } = fixtures.metadata;
  const [beta1, beta2] = betas!.split(",").map(Number);
  let state = adamwState(names.map((name) => fixtures.nd(`${name}0`)));
  for (let step = 0; step < 3; step++) {
    const rate = fixtures.nd(`step${step}.lr_scale`);
    const number = step + 1;
    assertClose(nd([1], [number <= 2 ? number / 2 : (10 - number) / 8]), rate, `step${step}.lr_scale`);
    const clipped = clipGradNorm(
      names.map((name) => fixtures.nd(`step${step}.grad.${name}`)),
      Number(clip_norm),
    );
    assertClose(nd([1], [clipped.norm]), fixtures.nd(`step${step}.grad_norm`), `step${step}.grad_norm`);
    const scale = rate.data[0]!;
    state = adamw(state, clipped.gradients, {
      betas: [beta1!, beta2!],
      eps: Number(eps),
      groups: [
        { members: [0], lr: 2e-3 * scale, weightDecay: 0.01 },
        { members: [1], lr: 0.02 * scale },
        { members: [2], lr: -0.02 * scale },
      ],
    });
    names.forEach((name, i) => {
      const at = `step${step}.${name}`;
      assertClose(state.parameters[i]!, fixtures.nd(at), at);
      assertClose(state.expAvg[i]!, fixtures.nd(`${at}.exp_avg`), `${at}.exp_avg`);
      assertClose(state.expAvgSq[i]!, fixtures.nd(`${at}.exp_avg_sq`), `${at}.exp_avg_sq`);
    });
  }
  assertEquals(fixtures.unread(), []);
});
