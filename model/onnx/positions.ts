import { hasPositionalStack } from "../parameter_specs.ts";
import type { Value } from "./graph.ts";
import { constant, type ExportedModel, gelu, transpose, weightOf } from "./layers.ts";

const NAME = "encoder.pos_conv_embed";

/** The positional embedding, [B, T, d], as in model/positions.ts. */
export function positions(model: ExportedModel, x: Value): Value {
  return hasPositionalStack(model.config) ? stack(model, x) : convolution(model, x);
}

function convolution(model: ExportedModel, x: Value): Value {
  if (model.config.conv_pos_batch_norm) return batchNormed(model, x);
  const { shape, data } = weightOf(model, `${NAME}.conv.weight_v`);
  const { data: norms } = weightOf(model, `${NAME}.conv.weight_g`);
  const w = { shape, data: () => weightNorm(data, norms) };
  const y = convolve(model, `${NAME}.conv`, transpose(model, NAME, x, [0, 2, 1]), w);
  return transpose(model, NAME, gelu(model, NAME, y), [0, 2, 1]);
}

/** A batch norm with its running statistics, then the convolution. */
function batchNormed(model: ExportedModel, x: Value): Value {
  const parts = ["weight", "bias", "running_mean", "running_var"];
  const constants = parts.map((part) => constant(model, `${NAME}.batch_norm.${part}`));
  const inputs = [transpose(model, NAME, x, [0, 2, 1]), ...constants];
  const normed = model.graph.add("BatchNormalization", NAME, inputs, { epsilon: { float: 1e-5 } });
  const y = convolve(model, `${NAME}.conv`, normed, unchanged(model, `${NAME}.conv`));
  return transpose(model, NAME, gelu(model, NAME, y), [0, 2, 1]);
}

/** The convolutions of data2vec, each with a layer norm without weights, and GELU. */
function stack(model: ExportedModel, x: Value): Value {
  const { graph, config: { hidden_size: d, num_conv_pos_embeddings: layers } } = model;
  const one = graph.floats(`${NAME}/ones`, [d], () => new Float32Array(d).fill(1));
  let y = x;
  for (let i = 0; i < layers; i++) {
    const name = `${NAME}.layers.${i}`;
    const w = unchanged(model, `${name}.conv`);
    y = convolve(model, `${name}.conv`, transpose(model, name, y, [0, 2, 1]), w);
    y = transpose(model, name, y, [0, 2, 1]);
    y = gelu(
      model,
      name,
      graph.add("LayerNormalization", name, [y, one], { axis: -1, epsilon: { float: 1e-5 } }),
    );
  }
  return y;
}

/** A weight of a grouped convolution, [O, C, K], which is made when it is written. */
interface LazyWeight {
  readonly shape: readonly number[];
  readonly data: () => Float32Array;
}

function unchanged(model: ExportedModel, module: string): LazyWeight {
  const { shape, data } = weightOf(model, `${module}.weight`);
  return { shape, data: () => data };
}

/**
 * Grouped convolution over time, [B, d, T]. An even kernel has one frame of padding less after the end. onnxruntime-web 1.31 gives wrong
 * results on WebGPU where the channels of a group are not a multiple of 4, so that such groups are merged.
 */
function convolve(model: ExportedModel, name: string, x: Value, { shape, data }: LazyWeight): Value {
  const { graph, config: { num_conv_pos_embedding_groups: groups } } = model;
  const [outputs, inputs, taps] = shape as readonly [number, number, number];
  const merged = mergedGroups(inputs, groups);
  const w = graph.floats(`${name}.weight`, [outputs, inputs * merged, taps], () => {
    return merged === 1 ? data() : blockDiagonal(data(), outputs / groups, inputs * taps, merged);
  });
  const before = Math.floor(taps / 2);
  const attributes = { kernel_shape: [taps], pads: [before, taps - 1 - before], group: groups / merged };
  return graph.add("Conv", name, [x, w, constant(model, `${name}.bias`)], attributes);
}

/** How many groups become one. */
function mergedGroups(channels: number, groups: number): number {
  for (let merged = 1; merged < groups; merged++) {
    if (groups % merged === 0 && channels * merged % 4 === 0) return merged;
  }
  return groups;
}

/** The weight of merged groups. @param perGroup Outputs of a group. @param size Elements of an output. */
function blockDiagonal(data: Float32Array, perGroup: number, size: number, merged: number): Float32Array {
  const result = new Float32Array(data.length * merged);
  for (let output = 0; output < data.length / size; output++) {
    const block = Math.floor(output / perGroup) % merged;
    result.set(data.subarray(output * size, (output + 1) * size), (output * merged + block) * size);
  }
  return result;
}

/** Weight norm over all axes but the last: v·g/‖v‖ per tap (Salimans and Kingma 2016, arXiv 1602.07868). */
function weightNorm(v: Float32Array, g: Float32Array): Float32Array {
  const taps = g.length;
  const squares = new Float64Array(taps);
  v.forEach((value, i) => squares[i % taps]! += value * value);
  return v.map((value, i) => value * g[i % taps]! / Math.sqrt(squares[i % taps]!));
}
