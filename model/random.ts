import { philox, type RandomStream, streamParams } from "../random/philox.ts";
import { type Checkpoint, PUBLISHED_LAYOUT, type Weight } from "./checkpoint/read.ts";
import type { HeadKind, ModelConfig } from "./config.ts";
import {
  FEATURE_SCALE,
  headOf,
  LAYER_WEIGHTS,
  type ParameterSpec,
  parameterSpecs,
  withHead,
} from "./parameter_specs.ts";

/** Limit of the number of parameters, above every published model. */
const MAX_PARAMETERS = 2 ** 31;

/**
 * A randomly initialised model: convolutions uniform by fan-in (He et al. 2015), linear layers with standard deviation
 * `initializer_range`, norms 1 and 0, `weight_g` of the positional convolution the norms of `weight_v`. Where published code
 * draws from a normal distribution, these are uniform with the same standard deviation. Philox draws them by seed and tensor name,
 * so a tensor does not depend on the others and is the same on every machine.
 *
 * @param config Architecture, dense or compact.
 * @param seed Whole number below 2^32.
 * @param head Head on top of the Transformer; default: the head of the config's architecture.
 * @throws {RangeError} If the seed is out of range, or the model has 2^31 parameters or more.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { randomCheckpoint } from "./random.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const { tensors } = randomCheckpoint(config, 1);
 * tensors.get("encoder.layer_norm.weight")?.data[0]; // 1
 * ```
 */
export function randomCheckpoint(
  config: ModelConfig,
  seed: number,
  head: HeadKind = headOf(config),
): Checkpoint {
  const specs = parameterSpecs(config, head);
  const parameters = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (parameters >= MAX_PARAMETERS) {
    throw new RangeError(
      `Cannot make a random model as it must have fewer than ${MAX_PARAMETERS} parameters: it has ${parameters}`,
    );
  }
  const tensors = new Map<string, Weight>();
  for (const spec of specs) tensors.set(spec.name, { shape: spec.shape, data: draw(config, spec, seed) });
  const position = "encoder.pos_conv_embed.conv";
  const norms = tensors.get(`${position}.weight_g`);
  if (norms) writeTapNorms(tensors.get(`${position}.weight_v`)!, norms.data);
  return { config: withHead(config, head), head, tensors, notes: [], layoutOnDisk: PUBLISHED_LAYOUT };
}

function draw(config: ModelConfig, { name, shape }: ParameterSpec, seed: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(sizeOf(shape));
  const stream = { seed, purpose: `weights ${name}`, step: 0 };
  const [, inputs = 1, taps = 1] = shape;
  const features = config.conv_dim.at(-1)!;
  const uniform = (bound: number) => fillUniform(data, -bound, bound, stream);
  if (name === LAYER_WEIGHTS) return data.fill(1 / data.length);
  if (name.endsWith(".running_mean")) return data;
  if (name.endsWith(".running_var")) return data.fill(1);
  if (name === FEATURE_SCALE) return data.fill(1);
  if (name === "masked_spec_embed") return fillUniform(data, 0, 1, stream);
  if (name.endsWith("norm.weight") || name.endsWith("gru_rel_pos_const")) return data.fill(1);
  if (name === "feature_projection.projection.bias") return uniform(Math.sqrt(1 / features));
  if (/^feature_extractor\..*\.conv\.bias$/.test(name)) return uniform(Math.sqrt(1 / fanIn(config, name)));
  if (name.endsWith(".bias")) return data;
  if (name.endsWith("conv.weight")) return uniform(Math.sqrt(6 / (inputs * taps)));
  if (name === "feature_projection.projection.weight") return uniform(Math.sqrt(1 / features));
  // The standard deviation of a uniform distribution on [−a, a] is a/√3.
  if (name.endsWith("weight_v")) return uniform(2 * Math.sqrt(3 / (taps * config.hidden_size)));
  if (name.endsWith("rel_attn_embed.weight")) return uniform(Math.sqrt(3));
  return uniform(config.initializer_range * Math.sqrt(3));
}

/** Number of inputs of one output element of a convolution. */
function fanIn({ conv_dim, conv_kernel }: ModelConfig, name: string): number {
  const i = Number(/\d+/.exec(name)![0]);
  return (conv_dim[i - 1] ?? 1) * conv_kernel[i]!;
}

/** Fills an array with the values of `uniformAt`, four per Philox call. */
function fillUniform(
  data: Float32Array<ArrayBuffer>,
  from: number,
  to: number,
  stream: RandomStream,
): Float32Array<ArrayBuffer> {
  const { seed, purpose, step } = streamParams(stream);
  const unit = (to - from) * 2 ** -24;
  for (let at = 0; at < data.length; at += 4) {
    const words = philox([at / 4, 0, step, 0], [seed, purpose]);
    for (let i = 0; i < Math.min(4, data.length - at); i++) data[at + i] = from + unit * (words[i]! >>> 8);
  }
  return data;
}

/** L2 norm of v, [C, W, K], per tap over the other dimensions; used as g, the effective weight equals v. */
function writeTapNorms({ shape, data }: Weight, norms: Float32Array): void {
  const taps = shape[2]!;
  const squares = new Float64Array(taps);
  for (let i = 0; i < data.length; i++) squares[i % taps]! += data[i]! ** 2;
  squares.forEach((square, k) => norms[k] = Math.sqrt(square));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
