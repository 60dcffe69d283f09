/**
 * The cases in `@jax-js/jax`, written as its documentation recommends: one `jit` around each case, arrays passed or kept
 * with `.ref`. Convolutions are `[N, C, T]` with weights `[C_out, C_in / groups, K]`, the only layout of the library.
 *
 * @module
 */

import { type HostTensor, permute } from "../inputs.ts";
import {
  ATTENTION,
  attentionInputs,
  CONV1D,
  conv1dInputs,
  CROSS_ENTROPY,
  crossEntropyInputs,
  geluInputs,
  GEMM_SIZES,
  gemmInputs,
  gemmName,
  type GradientInputs,
  layerNormInputs,
  POSITIONAL_CONV,
  positionalConvInputs,
} from "../workloads.ts";
import { type Array, JaxDevice } from "./jax_device.ts";
import { adamw, trainStep } from "./jax_training.ts";
import type { Peer, PeerCase } from "./peer.ts";

/** Permutation from channels-last to channels-first, and back. */
const CHANNELS_FIRST = [0, 2, 1];

/** Loads the library and creates its WebGPU device with the limits that it requests. */
export async function load(): Promise<Peer> {
  const jax = await import("npm:@jax-js/jax@0.1.25");
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) {
    throw new Error("Cannot measure @jax-js/jax as it found no WebGPU adapter");
  }
  jax.defaultDevice("webgpu");
  return {
    name: "@jax-js/jax",
    version: "0.1.25",
    adapter: jax.getWebGPUDevice().adapterInfo.description,
    cases: allCases(new JaxDevice(jax)),
  };
}

function allCases(device: JaxDevice): Map<string, () => Promise<PeerCase>> {
  const { lax, nn, numpy: np } = device.jax;
  const cases = new Map<string, () => Promise<PeerCase>>();
  const add = (name: string, make: () => PeerCase) => cases.set(name, () => Promise.resolve().then(make));
  for (const size of GEMM_SIZES) {
    for (const transposed of [false, true]) {
      add(gemmName(size, transposed), () => gemm(device, size, transposed));
    }
  }
  add(
    "conv1d_512_k3_s2_t8000",
    () =>
      gradient(device, channelsFirst(conv1dInputs()), (x, w) => lax.conv(x, w, [CONV1D.stride], "VALID"), [
        CHANNELS_FIRST,
        CHANNELS_FIRST,
      ]),
  );
  add("positional_conv_768_k128_g16_t500", () => {
    const { padding, groups } = POSITIONAL_CONV;
    // One frame less of padding on the right instead of dropping the last frame.
    const options = { featureGroupCount: groups };
    const conv = (x: Array, w: Array) => lax.convGeneralDilated(x, w, [1], [[padding, padding - 1]], options);
    return gradient(device, channelsFirst(positionalConvInputs()), conv, [CHANNELS_FIRST, CHANNELS_FIRST]);
  });
  add("attention_t256_h12_d64", () => {
    const { frames, heads, headSize } = ATTENTION;
    const split = (x: Array) => x.reshape([frames, heads, headSize]);
    const attend = (q: Array, k: Array, v: Array) =>
      nn.dotProductAttention(split(q), split(k), split(v)).reshape([frames, heads * headSize]);
    return gradient(device, attentionInputs(), attend);
  });
  add(
    "layer_norm_512x3072",
    () => gradient(device, layerNormInputs(), (x, w, b) => device.layerNorm(x, w, b)),
  );
  // Its `erfc` is the formula 7.1.26 of Abramowitz and Stegun, good to 1.5e-7.
  add("gelu_512x3072", () => gradient(device, geluInputs(), (x) => nn.gelu(x, { approximate: false })));
  add("adamw_4m", () => adamw(device));
  add("softmax_cross_entropy_512x32", () => {
    const { logits, labels } = crossEntropyInputs();
    const classes = np.array(labels);
    const one = { values: new Float32Array([1]), shape: [] };
    return gradient(
      device,
      { inputs: [logits], cotangent: one },
      (x) => nn.logSoftmax(x).mul(nn.oneHot(classes.ref, CROSS_ENTROPY.classes)).sum(-1).mean().neg(),
      [],
      () => classes.dispose(),
    );
  });
  add("train_step", () => trainStep(device));
  return cases;
}

function gemm(
  device: JaxDevice,
  [m, k, n]: readonly [number, number, number],
  transposed: boolean,
): PeerCase {
  const { jit, numpy: np } = device.jax;
  const inputs = gemmInputs(m, k, n, transposed);
  const a = device.upload(inputs.a);
  const b = device.upload(inputs.b);
  const multiply = jit((a: Array, b: Array) => np.matmul(a, transposed ? b.transpose() : b));
  return {
    run: async (repeat) => {
      let y = multiply(a.ref, b.ref);
      for (let i = 1; i < repeat; i++) {
        await device.submit(y);
        y.dispose();
        y = multiply(a.ref, b.ref);
      }
      await device.finish(y);
      y.dispose();
    },
    check: () => device.read([multiply(a.ref, b.ref)]),
    dispose: () => {
      multiply.dispose();
      a.dispose();
      b.dispose();
    },
  };
}

/** Value and gradients in one program; `layouts` permute the value and each gradient to the shared layout. */
function gradient(
  device: JaxDevice,
  { inputs, cotangent }: GradientInputs,
  f: (...inputs: Array[]) => Array,
  layouts: (number[] | undefined)[] = [],
  dispose?: () => void,
): PeerCase {
  const { jit, tree, vjp } = device.jax;
  const primals = inputs.map((input) => device.upload(input));
  const dy = device.upload(cotangent);
  const program = jit((primals: Array[], dy: Array): [Array, ...Array[]] => {
    const [y, pullback] = vjp(f, primals);
    const gradients = pullback(dy);
    pullback.dispose();
    return [y, ...gradients];
  });
  const execute = () => program(tree.ref(primals), dy.ref);
  return {
    run: async (repeat) => {
      let outputs = execute();
      for (let i = 1; i < repeat; i++) {
        await device.submit(outputs[0]);
        tree.dispose(outputs);
        outputs = execute();
      }
      await device.finish(outputs[0]);
      tree.dispose(outputs);
    },
    check: () => device.read(execute(), layouts),
    dispose: () => {
      program.dispose();
      tree.dispose(primals);
      dy.dispose();
      dispose?.();
    },
  };
}

/** The same inputs with activations `[B, C, T]`; weights have that layout already. */
function channelsFirst(
  { inputs: [x, w], cotangent }: GradientInputs<[HostTensor, HostTensor]>,
): GradientInputs {
  return { inputs: [permute(x, CHANNELS_FIRST), w], cotangent: permute(cotangent, CHANNELS_FIRST) };
}
