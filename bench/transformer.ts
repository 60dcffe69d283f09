/**
 * AdamW and the training step in this library: the post-norm encoder of `workloads.ts`, mean squared error and AdamW; only the
 * loss is read back. The optimizer of the step also computes the norm of all gradients, which the peers do not.
 *
 * @module
 */

import { adamw as updateAdamw } from "../kernels/adamw.ts";
import { add } from "../kernels/add.ts";
import { attention } from "../kernels/attention.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { linear } from "../kernels/linear.ts";
import { reduceRows } from "../kernels/internal/reduce_rows.ts";
import { scale } from "../kernels/scale.ts";
import { sum } from "../kernels/sum.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { backward } from "../tensor/backward.ts";
import { noGrad } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { AdamW } from "../train/optimizer.ts";
import { type HostTensor, permute } from "./inputs.ts";
import { type PeerCase, samples } from "./peers/peer.ts";
import {
  ADAMW,
  adamwInputs,
  ENCODER,
  ENCODER_KEYS,
  encoderData,
  type EncoderLayer,
  encoderLayers,
  NORM_EPSILON,
} from "./workloads.ts";

/** One post-norm layer; `x` is [B, T, C]. */
function encoderLayer(x: Tensor, p: EncoderLayer<Tensor>): Tensor {
  const { heads } = ENCODER;
  const eps = NORM_EPSILON;
  const attended = attention(
    linear(x, p.qWeight, p.qBias),
    linear(x, p.kWeight, p.kBias),
    linear(x, p.vWeight, p.vBias),
    { heads },
  );
  const h = layerNorm(linear(attended, p.outWeight, p.outBias, { residual: x }), p.norm1Weight, p.norm1Bias, {
    eps,
  });
  const inner = linear(h, p.upWeight, p.upBias, { gelu: true });
  return layerNorm(
    linear(inner, p.downWeight, p.downBias, { residual: h }),
    p.norm2Weight,
    p.norm2Bias,
    { eps },
  );
}

/** The mean squared error of `y`, and its gradient 2·(y − t)/n, which starts the backward pass. */
function meanSquaredError(y: Tensor, negativeTarget: Tensor): { loss: Tensor; seed: Tensor } {
  return noGrad(y.gpu, () => {
    const difference = add(y, negativeTarget);
    const squares = reduceRows(difference, ENCODER.width, difference);
    return { loss: scale(sum(squares), 1 / y.size), seed: scale(difference, 2 / y.size) };
  });
}

/** The parameters of the encoder with their optimizer. */
interface Model {
  readonly layers: readonly EncoderLayer<Tensor>[];
  readonly optimizer: AdamW;
}

function build(gpu: Gpu, initial: readonly EncoderLayer<HostTensor>[]): Model {
  const upload = (tensor: HostTensor) => {
    // A linear layer's weight is [out, in] here.
    const { values, shape } = tensor.shape.length === 2 ? permute(tensor, [1, 0]) : tensor;
    const parameter = gpu.tensor(values, shape);
    parameter.requiresGrad = true;
    return parameter;
  };
  const layers = initial.map((layer) => {
    const entries = ENCODER_KEYS.map((key) => [key, upload(layer[key])]);
    return Object.fromEntries(entries) as EncoderLayer<Tensor>;
  });
  return { layers, optimizer: makeOptimizer(layers.flatMap((layer) => Object.values(layer))) };
}

function makeOptimizer(params: readonly Tensor[]): AdamW {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = ADAMW;
  return new AdamW([{ params, lr: learningRate, betas: [beta1, beta2], eps: epsilon, weightDecay }]);
}

/** AdamW alone: without the norm of the gradients, which the peers do not take either. */
export function adamw(gpu: Gpu): PeerCase {
  const inputs = adamwInputs();
  const { learningRate: lr, beta1, beta2, epsilon: eps, weightDecay } = ADAMW;
  const upload = ({ values, shape }: HostTensor) => gpu.tensor(values, shape);
  const factor = gpu.tensor([1], []);
  const initialStates = () =>
    inputs.parameters.map((parameter, i) => {
      const { shape } = parameter;
      return {
        w: upload(parameter),
        dw: upload(inputs.gradients[i]!),
        m: gpu.zeros(shape),
        v: gpu.zeros(shape),
      };
    });
  let states = initialStates();
  let step = 0;
  const free = () => {
    for (const tensor of states.flatMap((state) => Object.values(state))) tensor.dispose();
  };
  const run = async (repeat: number) => {
    for (let i = 0; i < repeat; i++) {
      step++;
      for (const state of states) {
        updateAdamw({ ...state, factor }, { lr, betas: [beta1, beta2], eps, weightDecay, step });
      }
    }
    await gpu.sync();
  };
  return {
    run,
    check: async () => {
      free();
      states = initialStates();
      step = 0;
      await run(1);
      const host: Float32Array[] = [];
      for (const { w } of states) host.push(Float32Array.from(await w.read()));
      return samples(host);
    },
    dispose: () => {
      free();
      factor.dispose();
    },
  };
}

/** The transformer training step. */
export function trainStep(gpu: Gpu): PeerCase {
  const initial = encoderLayers();
  const data = encoderData();
  const input = gpu.tensor(data.input.values, data.input.shape);
  const negativeTarget = gpu.tensor(data.target.values.map((value) => -value), data.target.shape);
  let model = build(gpu, initial);
  const train = () =>
    gpu.scope(() => {
      const y = model.layers.reduce(encoderLayer, input);
      const { loss, seed } = meanSquaredError(y, negativeTarget);
      model.optimizer.accumulate(backward(y, { gradient: seed }));
      model.optimizer.step();
      return loss;
    });
  const read = async (loss: Tensor) => {
    const [value] = await loss.read();
    loss.dispose();
    return value!;
  };
  const free = () => {
    model.optimizer.dispose();
    for (const parameter of model.layers.flatMap((layer) => Object.values(layer))) parameter.dispose();
  };
  return {
    run: async (repeat) => {
      for (let i = 1; i < repeat; i++) train().dispose();
      await read(train());
    },
    check: async () => {
      free();
      model = build(gpu, initial);
      return Float32Array.of(await read(train()), await read(train()));
    },
    dispose: () => {
      free();
      input.dispose();
      negativeTarget.dispose();
    },
  };
}
