/**
 * The cases of the benchmark in this library, as a peer. Gradients are those of one `backward` per execution. Convolution
 * weights are `[C_out, K, C_in / groups]` here, and are permuted on the host, untimed.
 *
 * @module
 */

import { attention } from "../kernels/attention.ts";
import { clipGradNorm } from "../kernels/clip_grad_norm.ts";
import { conv1d } from "../kernels/conv1d.ts";
import { crossEntropy } from "../kernels/cross_entropy.ts";
import { ctc } from "../kernels/ctc.ts";
import { gelu } from "../kernels/gelu.ts";
import { groupNorm } from "../kernels/group_norm.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { matmul } from "../kernels/matmul.ts";
import { positionalConv } from "../kernels/positional_conv.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { backward } from "../tensor/backward.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { HostTensor } from "./inputs.ts";
import { permute } from "./inputs.ts";
import { type Peer, type PeerCase, samples } from "./peers/peer.ts";
import { adamw, trainStep } from "./transformer.ts";
import {
  adamwInputs,
  ATTENTION,
  attentionInputs,
  CONV1D,
  conv1dInputs,
  crossEntropyInputs,
  CTC,
  ctcInputs,
  geluInputs,
  GEMM_SIZES,
  gemmInputs,
  gemmName,
  type GradientInputs,
  groupNormInputs,
  layerNormInputs,
  NORM_EPSILON,
  POSITIONAL_CONV,
  positionalConvInputs,
} from "./workloads.ts";

/** From [C_out, C_in, K] to [C_out, K, C_in]; its own inverse. */
const WEIGHT_LAYOUT = [0, 2, 1];

/** The cases of this library on a device. */
export function ours(gpu: Gpu, version: string): Peer {
  const cases = new Map([...gemmCases(gpu), ...layerCases(gpu), ...trainingCases(gpu)]);
  const entries = [...cases].map(([name, make]) => [name, () => Promise.resolve().then(make)] as const);
  return { name: "espalier", version, adapter: gpu.adapter.info.description, cases: new Map(entries) };
}

type Cases = Map<string, () => PeerCase>;

function gemmCases(gpu: Gpu): Cases {
  const cases: Cases = new Map();
  for (const size of GEMM_SIZES) {
    for (const transposed of [false, true]) {
      cases.set(gemmName(size, transposed), () => gemm(gpu, size, transposed));
    }
  }
  return cases;
}

/** Convolutions, attention, norms and activation. */
function layerCases(gpu: Gpu): Cases {
  const cases: Cases = new Map();
  cases.set("conv1d_512_k3_s2_t8000", () => {
    const { stride } = CONV1D;
    return gradient(gpu, tapsFirst(conv1dInputs()), (x, w) => conv1d(x!, w!, null, { stride }), [
      undefined,
      undefined,
      WEIGHT_LAYOUT,
    ]);
  });
  cases.set("positional_conv_768_k128_g16_t500", () => {
    const { groups } = POSITIONAL_CONV;
    return gradient(
      gpu,
      tapsFirst(positionalConvInputs()),
      (x, w) => positionalConv(x!, w!, null, { groups }),
      [undefined, undefined, WEIGHT_LAYOUT],
    );
  });
  cases.set("attention_t256_h12_d64", () => {
    const { heads } = ATTENTION;
    const { inputs, cotangent } = attentionInputs();
    const addBatch = (tensor: HostTensor) => ({ ...tensor, shape: [1, ...tensor.shape] });
    return gradient(
      gpu,
      { inputs: inputs.map(addBatch), cotangent: addBatch(cotangent) },
      (q, k, v) => attention(q!, k!, v!, { heads }),
    );
  });
  const eps = NORM_EPSILON;
  cases.set(
    "layer_norm_512x3072",
    () => gradient(gpu, layerNormInputs(), (x, w, b) => layerNorm(x!, w!, b!, { eps })),
  );
  cases.set("gelu_512x3072", () => gradient(gpu, geluInputs(), (x) => gelu(x!)));
  cases.set(
    "group_norm_8000x512",
    () => gradient(gpu, groupNormInputs(), (x, w, b) => groupNorm(x!, w!, b!, { eps })),
  );
  return cases;
}

/** Losses, optimizer and the training step. */
function trainingCases(gpu: Gpu): Cases {
  const cases: Cases = new Map();
  cases.set("softmax_cross_entropy_512x32", () => {
    const { logits, labels } = crossEntropyInputs();
    const rows = Array.from(labels);
    return gradient(gpu, { inputs: [logits], cotangent: one }, (x) => crossEntropy(x!, rows));
  });
  cases.set("adamw_4m", () => adamw(gpu));
  cases.set("train_step", () => trainStep(gpu));
  cases.set("clip_grad_norm_4m", () => {
    const gradients = adamwInputs().gradients.map((gradient) => upload(gpu, gradient));
    return repeated(gpu, () => Object.values(clipGradNorm(gradients, 1)), gradients);
  });
  cases.set("ctc_b4_t200_v32_s40", () => {
    const { logits, targets } = ctcInputs();
    const lengths = targets.map(() => CTC.frames);
    return gradient(gpu, { inputs: [logits], cotangent: one }, (x) => ctc(x!, lengths, targets));
  });
  return cases;
}

/** The gradient of a loss with respect to itself. */
export const one: HostTensor = { values: new Float32Array([1]), shape: [] };

/** Uploads a tensor to the device. */
const upload = (gpu: Gpu, { values, shape }: HostTensor) => gpu.tensor(values, shape);

function dispose(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}

/** A case that disposes its outputs after each execution. */
function repeated(
  gpu: Gpu,
  execute: () => Tensor[],
  inputs: readonly Tensor[],
  layouts: readonly (readonly number[] | undefined)[] = [],
): PeerCase {
  return {
    run: async (repeat) => {
      for (let i = 0; i < repeat; i++) dispose(execute());
      await gpu.sync();
    },
    check: async () => {
      const outputs = execute();
      const host: Float32Array[] = [];
      for (const [i, tensor] of outputs.entries()) {
        const values = Float32Array.from(await tensor.read());
        const axes = layouts[i];
        host.push(axes ? permute({ values, shape: [...tensor.shape] }, [...axes]).values : values);
      }
      dispose(outputs);
      return samples(host);
    },
    dispose: () => dispose(inputs),
  };
}

function gemm(gpu: Gpu, [m, k, n]: readonly [number, number, number], transposed: boolean): PeerCase {
  const inputs = gemmInputs(m, k, n, transposed);
  const a = upload(gpu, inputs.a);
  const b = upload(gpu, inputs.b);
  return repeated(gpu, () => [matmul(a, b, { transposeB: transposed })], [a, b]);
}

/** Value and gradients; `layouts` permute the value and each gradient to the shared layout. */
export function gradient(
  gpu: Gpu,
  { inputs, cotangent }: GradientInputs,
  f: (...inputs: Tensor[]) => Tensor,
  layouts: readonly (readonly number[] | undefined)[] = [],
): PeerCase {
  const primals = inputs.map((input) => upload(gpu, input));
  for (const primal of primals) primal.requiresGrad = true;
  const seed = upload(gpu, cotangent);
  const execute = () =>
    gpu.scope(() => {
      const y = f(...primals);
      const gradients = backward(y, { gradient: seed });
      return [y, ...primals.map((primal) => gradients.get(primal)!)];
    });
  return repeated(gpu, execute, [...primals, seed], layouts);
}

/** The same inputs with weights [C_out, K, C_in / groups]; activations are channels-last already. */
function tapsFirst(
  { inputs: [x, w], cotangent }: GradientInputs<[HostTensor, HostTensor]>,
): GradientInputs {
  return { inputs: [x, permute(w, WEIGHT_LAYOUT)], cotangent };
}
