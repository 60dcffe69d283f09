import { philox, type RandomStream, streamParams } from "../random/philox.ts";
import { type Checkpoint, PUBLISHED_LAYOUT, type Weight } from "./checkpoint/read.ts";
import type { HeadKind, ModelConfig } from "./config.ts";
import { headOf, type ParameterSpec, parameterSpecs, withHead } from "./parameter_specs.ts";

/** More numbers than any published model has. */
const LARGEST = 2 ** 31;

/**
 * A model with the initial weights of training: convolutions uniform by their fan-in (He et al. 2015), linear layers
 * with standard deviation `initializer_range`, norms 1 and 0, the positional convolution's `weight_g` the norms of
 * `weight_v`. Drawn with Philox by seed and name, so that a tensor does not depend on the others, on any machine; all
 * numbers are uniform, scaled to the standard deviation that published code draws normal ones with.
 *
 * @param config Architecture, dense or compact.
 * @param seed A whole number below 2^32.
 * @param head What follows the Transformer; as the config's architecture says unless given.
 * @throws {RangeError} If the seed is none, or the model has 2^31 numbers or more.
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
  const numbers = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers >= LARGEST) {
    throw new RangeError(`Cannot make a random model as it may have ${LARGEST} numbers: it has ${numbers}`);
  }
  const tensors = new Map<string, Weight>();
  for (const spec of specs) tensors.set(spec.name, { shape: spec.shape, data: draw(config, spec, seed) });
  const position = "encoder.pos_conv_embed.conv";
  normsOf(tensors.get(`${position}.weight_v`)!, tensors.get(`${position}.weight_g`)!.data);
  return { config: withHead(config, head), head, tensors, notes: [], layoutOnDisk: PUBLISHED_LAYOUT };
}

function draw(config: ModelConfig, { name, shape }: ParameterSpec, seed: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(sizeOf(shape));
  const stream = { seed, purpose: `weights ${name}`, step: 0 };
  const [, inputs = 1, taps = 1] = shape;
  const features = config.conv_dim.at(-1)!;
  const uniform = (bound: number) => fillUniform(data, -bound, bound, stream);
  if (name === "masked_spec_embed") return fillUniform(data, 0, 1, stream);
  if (name.endsWith("norm.weight") || name.endsWith("gru_rel_pos_const")) return data.fill(1);
  if (name === "feature_projection.projection.bias") return uniform(Math.sqrt(1 / features));
  if (/^feature_extractor\..*\.conv\.bias$/.test(name)) return uniform(Math.sqrt(1 / fanIn(config, name)));
  if (name.endsWith(".bias")) return data;
  if (name.endsWith("conv.weight")) return uniform(Math.sqrt(6 / (inputs * taps)));
  if (name === "feature_projection.projection.weight") return uniform(Math.sqrt(1 / features));
  // A uniform number's standard deviation is its bound by √3.
  if (name.endsWith("weight_v")) return uniform(2 * Math.sqrt(3 / (taps * config.hidden_size)));
  if (name.endsWith("rel_attn_embed.weight")) return uniform(Math.sqrt(3));
  return uniform(config.initializer_range * Math.sqrt(3));
}

/** Numbers that an output of a convolution of the feature extractor reads. */
function fanIn({ conv_dim, conv_kernel }: ModelConfig, name: string): number {
  const i = Number(/\d+/.exec(name)![0]);
  return (conv_dim[i - 1] ?? 1) * conv_kernel[i]!;
}

/** The numbers of `uniformAt`, four at a time. */
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

/** Norm of every tap of v, [C, W, K], over the other dimensions: with it as g, the weight is v. */
function normsOf({ shape, data }: Weight, norms: Float32Array): void {
  const taps = shape[2]!;
  const squares = new Float64Array(taps);
  for (let i = 0; i < data.length; i++) squares[i % taps]! += data[i]! ** 2;
  squares.forEach((square, k) => norms[k] = Math.sqrt(square));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
