/**
 * The optimizer and the training step in `@jax-js/jax`: one program for forward, backward and update, all state on the device.
 *
 * @module
 */

import type { HostTensor } from "../inputs.ts";
import {
  ADAMW,
  adamwInputs,
  ENCODER,
  ENCODER_KEYS,
  encoderData,
  type EncoderLayer,
  encoderLayers,
} from "../workloads.ts";
import type { Array, JaxDevice } from "./jax_device.ts";
import type { PeerCase } from "./peer.ts";

/** A parameter and its two moments. */
type AdamState = { parameter: Array; first: Array; second: Array };

/** The optimizer alone. */
export function adamw(device: JaxDevice): PeerCase {
  const { jit, tree } = device.jax;
  const inputs = adamwInputs();
  const gradients = inputs.gradients.map((gradient) => device.upload(gradient));
  const program = jit((states: AdamState[], gradients: Array[], correction: Array) =>
    update(device, states, gradients, correction)
  );
  let states = initialStates(device, inputs.parameters);
  let step = 0;
  const run = async (repeat: number) => {
    for (let i = 0; i < repeat; i++) {
      states = program(states, tree.ref(gradients), correction(device, ++step));
      await device.submit(states[0]!.parameter);
    }
    await device.finish(states[0]!.parameter);
  };
  return {
    run,
    check: async () => {
      tree.dispose(states);
      states = initialStates(device, inputs.parameters);
      step = 0;
      await run(1);
      return device.read(states.map(({ parameter }) => parameter.ref));
    },
    dispose: () => {
      program.dispose();
      tree.dispose([states, gradients]);
    },
  };
}

/** The transformer training step. */
export function trainStep(device: JaxDevice): PeerCase {
  const { jit, numpy: np, tree, valueAndGrad } = device.jax;
  const initial = encoderLayers().flatMap((layer) => ENCODER_KEYS.map((key) => layer[key]));
  const data = encoderData();
  const input = device.upload(data.input);
  const target = device.upload(data.target);
  const loss = (parameters: Array[], input: Array, target: Array) => {
    let x = input;
    for (let from = 0; from < parameters.length; from += ENCODER_KEYS.length) {
      const entries = ENCODER_KEYS.map((key, i) => [key, parameters[from + i]]);
      x = layer(device, x, Object.fromEntries(entries) as EncoderLayer<Array>);
    }
    return np.square(x.sub(target)).mean();
  };
  const program = jit((states: AdamState[], input: Array, target: Array, correction: Array) => {
    const [value, gradients] = valueAndGrad(loss)(
      states.map(({ parameter }) => parameter.ref),
      input,
      target,
    );
    return { value, states: update(device, states, gradients, correction) };
  });
  let states = initialStates(device, initial);
  let step = 0;
  const train = () => {
    const result = program(states, input.ref, target.ref, correction(device, ++step));
    states = result.states;
    return result.value;
  };
  const read = async (loss: Array) => {
    const [value] = await loss.data();
    device.throwErrors();
    return value!;
  };
  return {
    run: async (repeat) => {
      for (let i = 1; i < repeat; i++) {
        const loss = train();
        await device.submit(loss);
        loss.dispose();
      }
      await read(train());
    },
    check: async () => {
      tree.dispose(states);
      states = initialStates(device, initial);
      step = 0;
      return Float32Array.of(await read(train()), await read(train()));
    },
    dispose: () => {
      program.dispose();
      tree.dispose([states, input, target]);
    },
  };
}

/** One post-norm layer; `x` is [batch, frames, width]. */
function layer(device: JaxDevice, x: Array, p: EncoderLayer<Array>): Array {
  const { nn, numpy: np } = device.jax;
  const { batch, frames, width, heads } = ENCODER;
  const linear = (x: Array, weight: Array, bias: Array) => np.matmul(x, weight).add(bias);
  const split = (x: Array) => x.reshape([batch, frames, heads, width / heads]);
  const attended = nn.dotProductAttention(
    split(linear(x.ref, p.qWeight, p.qBias)),
    split(linear(x.ref, p.kWeight, p.kBias)),
    split(linear(x.ref, p.vWeight, p.vBias)),
  ).reshape([batch, frames, width]);
  const h = device.layerNorm(x.add(linear(attended, p.outWeight, p.outBias)), p.norm1Weight, p.norm1Bias);
  const inner = nn.gelu(linear(h.ref, p.upWeight, p.upBias), { approximate: false });
  return device.layerNorm(h.add(linear(inner, p.downWeight, p.downBias)), p.norm2Weight, p.norm2Bias);
}

/** One update of all parameters; consumes its arguments. `correction` holds 1 / (1 - beta^t) of both moments. */
function update(device: JaxDevice, states: AdamState[], gradients: Array[], correction: Array): AdamState[] {
  const { numpy: np } = device.jax;
  const { learningRate, beta1, beta2, epsilon, weightDecay } = ADAMW;
  const updated = states.map((state, i) => {
    const gradient = gradients[i]!;
    const first = state.first.mul(beta1).add(gradient.ref.mul(1 - beta1));
    const second = state.second.mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const root = np.sqrt(second.ref.mul(correction.ref.slice(1))).add(epsilon);
    const change = first.ref.mul(correction.ref.slice(0)).div(root).mul(learningRate);
    return { parameter: state.parameter.mul(1 - learningRate * weightDecay).sub(change), first, second };
  });
  correction.dispose();
  return updated;
}

function correction(device: JaxDevice, step: number): Array {
  const { beta1, beta2 } = ADAMW;
  return device.jax.numpy.array(new Float32Array([1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)]));
}

function initialStates(device: JaxDevice, parameters: HostTensor[]): AdamState[] {
  return parameters.map((parameter) => {
    const zeros = { values: new Float32Array(parameter.values.length), shape: parameter.shape };
    return { parameter: device.upload(parameter), first: device.upload(zeros), second: device.upload(zeros) };
  });
}
