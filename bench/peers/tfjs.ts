/**
 * The cases in `@tensorflow/tfjs` with `@tensorflow/tfjs-backend-webgpu`, written as its documentation recommends: eager
 * operations within `tidy`. (The bundle of `tfjs-core` for Node cannot register gradients.)
 *
 * Convolutions are `[N, T, C]` with weights `[K, C_in, C_out]`, the layout of its fast kernels. It has no grouped convolution
 * (16 are run and concatenated), no layer norm and no GELU; those are composed of its operations, GELU with its `erf`.
 *
 * @module
 */

import type * as tfjsModule from "npm:@tensorflow/tfjs@4.22.0";
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
import type { Peer, PeerCase } from "./peer.ts";
import { type Tensor, TfjsDevice } from "./tfjs_device.ts";
import { adamw, trainStep } from "./tfjs_training.ts";

/** From [C_out, C_in, K] to [K, C_in, C_out]; its own inverse. */
const WEIGHT_LAYOUT = [2, 1, 0];

/** Loads the library and creates its WebGPU device with the limits that it requests. */
export async function load(): Promise<Peer> {
  const tf = await import("npm:@tensorflow/tfjs@4.22.0");
  // Importing the backend registers it, with its kernels.
  const { WebGPUBackend } = await import("npm:@tensorflow/tfjs-backend-webgpu@4.22.0");
  if (!await tf.setBackend("webgpu")) throw new Error("Cannot measure tfjs as it found no WebGPU adapter");
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) {
    throw new Error("Cannot measure tfjs as it runs on another backend than WebGPU");
  }
  return {
    name: "@tensorflow/tfjs-backend-webgpu",
    version: tf.version_core,
    adapter: backend.device.adapterInfo.description,
    cases: allCases(new TfjsDevice(tf, backend.device)),
  };
}

function allCases(device: TfjsDevice): Map<string, () => Promise<PeerCase>> {
  const tf = device.tf;
  const cases = new Map<string, () => Promise<PeerCase>>();
  const add = (name: string, make: () => PeerCase) => cases.set(name, () => Promise.resolve().then(make));
  for (const size of GEMM_SIZES) {
    for (const transposed of [false, true]) {
      add(gemmName(size, transposed), () => gemm(device, size, transposed));
    }
  }
  add("conv1d_512_k3_s2_t8000", () => {
    const conv = (x: Tensor, w: Tensor) =>
      tf.conv1d(x as tfjsModule.Tensor3D, w as tfjsModule.Tensor3D, CONV1D.stride, "valid");
    return gradient(device, kernelFirst(conv1dInputs()), conv, [undefined, undefined, WEIGHT_LAYOUT]);
  });
  add(
    "positional_conv_768_k128_g16_t500",
    () =>
      gradient(device, kernelFirst(positionalConvInputs()), (x, w) => groupedConv(device, x, w), [
        undefined,
        undefined,
        WEIGHT_LAYOUT,
      ]),
  );
  add("attention_t256_h12_d64", () => {
    const { frames, heads } = ATTENTION;
    return gradient(device, attentionInputs(), (q, k, v) => device.attention(q, k, v, 1, frames, heads));
  });
  add(
    "layer_norm_512x3072",
    () => gradient(device, layerNormInputs(), (x, w, b) => device.layerNorm(x, w, b)),
  );
  add("gelu_512x3072", () => gradient(device, geluInputs(), (x) => device.gelu(x)));
  add("adamw_4m", () => adamw(device));
  add("softmax_cross_entropy_512x32", () => {
    const { logits, labels } = crossEntropyInputs();
    const classes = tf.tidy(() =>
      tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), CROSS_ENTROPY.classes), "float32")
    );
    const one = { values: new Float32Array([1]), shape: [] };
    const loss = (x: Tensor) => tf.losses.softmaxCrossEntropy(classes, x) as Tensor;
    return gradient(device, { inputs: [logits], cotangent: one }, loss, [], () => classes.dispose());
  });
  add("train_step", () => trainStep(device));
  return cases;
}

function gemm(
  device: TfjsDevice,
  [m, k, n]: readonly [number, number, number],
  transposed: boolean,
): PeerCase {
  const tf = device.tf;
  const inputs = gemmInputs(m, k, n, transposed);
  const a = device.upload(inputs.a);
  const b = device.upload(inputs.b);
  const multiply = () => tf.matMul(a, b, false, transposed);
  return {
    run: async (repeat) => {
      let y = multiply();
      for (let i = 1; i < repeat; i++) {
        y.dispose();
        y = multiply();
      }
      await device.finish(y);
      y.dispose();
    },
    check: async () => {
      const y = multiply();
      const checked = await device.read([y]);
      y.dispose();
      return checked;
    },
    dispose: () => tf.dispose([a, b]),
  };
}

/** Value and gradients; `layouts` permute the value and each gradient to the shared layout. */
function gradient(
  device: TfjsDevice,
  { inputs, cotangent }: GradientInputs,
  f: (...inputs: Tensor[]) => Tensor,
  layouts: (number[] | undefined)[] = [],
  dispose?: () => void,
): PeerCase {
  const tf = device.tf;
  const primals = inputs.map((input) => device.upload(input));
  const dy = device.upload(cotangent);
  const program = tf.valueAndGrads(f);
  const execute = () =>
    tf.tidy((): [Tensor, ...Tensor[]] => {
      const { value, grads } = program(primals, dy);
      return [value, ...grads];
    });
  return {
    run: async (repeat) => {
      let outputs = execute();
      for (let i = 1; i < repeat; i++) {
        tf.dispose(outputs);
        outputs = execute();
      }
      await device.finish(outputs[0]);
      tf.dispose(outputs);
    },
    check: async () => {
      const outputs = execute();
      const checked = await device.read(outputs, layouts);
      tf.dispose(outputs);
      return checked;
    },
    dispose: () => {
      tf.dispose([primals, dy]);
      dispose?.();
    },
  };
}

function groupedConv(device: TfjsDevice, x: Tensor, w: Tensor): Tensor {
  const tf = device.tf;
  const { groups, padding } = POSITIONAL_CONV;
  // One frame less of padding on the right instead of dropping the last frame.
  const padded = tf.pad(x, [[0, 0], [padding, padding - 1], [0, 0]]);
  const inputs: tfjsModule.Tensor3D[] = tf.split(padded, groups, 2);
  const weights: tfjsModule.Tensor3D[] = tf.split(w, groups, 2);
  return tf.concat(inputs.map((input, group) => tf.conv1d(input, weights[group]!, 1, "valid")), 2);
}

/** The same inputs with weights [K, C_in, C_out]; activations are channels-last already. */
function kernelFirst(
  { inputs: [x, w], cotangent }: GradientInputs<[HostTensor, HostTensor]>,
): GradientInputs {
  return { inputs: [x, permute(w, WEIGHT_LAYOUT)], cotangent };
}
