/**
 * The optimizer and the training step in `@tensorflow/tfjs`: variables and moments stay on the device.
 *
 * @module
 */

import type * as tfjsModule from "npm:@tensorflow/tfjs@4.22.0";
import type { HostTensor } from "../inputs.ts";
import { ADAMW, adamwInputs, ENCODER, encoderData, type EncoderLayer, encoderLayers } from "../workloads.ts";
import type { PeerCase } from "./peer.ts";
import type { Tensor, TfjsDevice } from "./tfjs_device.ts";

type Variable = tfjsModule.Variable;

/** The optimizer alone. */
export function adamw(device: TfjsDevice): PeerCase {
  const tf = device.tf;
  const inputs = adamwInputs();
  const variables = inputs.parameters.map((parameter) => variable(device, parameter));
  const gradients = inputs.gradients.map((gradient) => device.upload(gradient));
  let optimizer = makeOptimizer(device, variables);
  const run = async (repeat: number) => {
    for (let i = 0; i < repeat; i++) optimizer.update(gradients);
    await device.finish(variables[0]!);
  };
  return {
    run,
    check: async () => {
      reset(device, variables, inputs.parameters);
      optimizer.dispose();
      optimizer = makeOptimizer(device, variables);
      await run(1);
      return device.read(variables);
    },
    dispose: () => {
      optimizer.dispose();
      tf.dispose([variables, gradients]);
    },
  };
}

/** The transformer training step. */
export function trainStep(device: TfjsDevice): PeerCase {
  const tf = device.tf;
  const { batch, frames, width } = ENCODER;
  const initial = encoderLayers();
  const layers = initial.map((layer) => {
    const entries = Object.entries(layer).map(([key, value]) => [key, variable(device, value)]);
    return Object.fromEntries(entries) as EncoderLayer<Variable>;
  });
  const variables = layers.flatMap((layer) => Object.values(layer));
  const data = encoderData();
  const input = device.upload({ ...data.input, shape: [batch * frames, width] });
  const target = device.upload({ ...data.target, shape: [batch * frames, width] });
  const loss = (): tfjsModule.Scalar => {
    const output = layers.reduce<Tensor>((x, layer) => encoderLayer(device, x, layer), input);
    return tf.mean(tf.square(tf.sub(output, target)));
  };
  let optimizer = makeOptimizer(device, variables);
  const train = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss, variables);
      optimizer.update(variables.map(({ name }) => grads[name]!));
      return value;
    });
  const read = async (loss: Tensor) => {
    const [value] = await loss.data();
    loss.dispose();
    device.throwErrors();
    return value!;
  };
  return {
    run: async (repeat) => {
      for (let i = 1; i < repeat; i++) train().dispose();
      await read(train());
    },
    check: async () => {
      reset(device, variables, initial.flatMap((layer) => Object.values(layer)));
      optimizer.dispose();
      optimizer = makeOptimizer(device, variables);
      return Float32Array.of(await read(train()), await read(train()));
    },
    dispose: () => {
      optimizer.dispose();
      tf.dispose([variables, input, target]);
    },
  };
}

/** One post-norm layer. `x` is [batch · frames, width], since a batched matmul with one matrix has no gradient here. */
function encoderLayer(device: TfjsDevice, x: Tensor, p: EncoderLayer<Tensor>): Tensor {
  const tf = device.tf;
  const { batch, frames, heads } = ENCODER;
  const linear = (x: Tensor, weight: Tensor, bias: Tensor) => tf.add(tf.matMul(x, weight), bias);
  const attended = device.attention(
    linear(x, p.qWeight, p.qBias),
    linear(x, p.kWeight, p.kBias),
    linear(x, p.vWeight, p.vBias),
    batch,
    frames,
    heads,
  );
  const h = device.layerNorm(
    tf.add(x, linear(attended, p.outWeight, p.outBias)),
    p.norm1Weight,
    p.norm1Bias,
  );
  const inner = device.gelu(linear(h, p.upWeight, p.upBias));
  return device.layerNorm(tf.add(h, linear(inner, p.downWeight, p.downBias)), p.norm2Weight, p.norm2Bias);
}

/** AdamW, by weight decay and the library's Adam. */
function makeOptimizer(
  device: TfjsDevice,
  variables: Variable[],
): { update(gradients: Tensor[]): void; dispose(): void } {
  const tf = device.tf;
  const { learningRate, beta1, beta2, epsilon, weightDecay } = ADAMW;
  const adam = tf.train.adam(learningRate, beta1, beta2, epsilon);
  return {
    update: (gradients) => {
      tf.tidy(() => {
        for (const variable of variables) variable.assign(tf.mul(variable, 1 - learningRate * weightDecay));
      });
      adam.applyGradients(variables.map(({ name }, i) => ({ name, tensor: gradients[i]! })));
    },
    dispose: () => adam.dispose(),
  };
}

function variable(device: TfjsDevice, tensor: HostTensor): Variable {
  return device.tf.tidy(() => device.tf.variable(device.upload(tensor)));
}

function reset(device: TfjsDevice, variables: Variable[], values: HostTensor[]): void {
  device.tf.tidy(() => {
    for (const [i, variable] of variables.entries()) variable.assign(device.upload(values[i]!));
  });
}
