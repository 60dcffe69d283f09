// Layers that are a few ONNX nodes each.
import type { Weight } from "../checkpoint/types.ts";
import type { ModelConfig } from "../config_types.ts";
import type { OnnxGraph, Value } from "./graph.ts";
import type { FrameMask } from "./frame_mask.ts";

/** A model that is being written as a graph. */
export interface ExportedModel {
  /** The graph. */
  readonly graph: OnnxGraph;
  /** Architecture. */
  readonly config: ModelConfig;
  /** Weights by the names of `parameterSpecs`. */
  readonly tensors: ReadonlyMap<string, Weight>;
  /** Names of the weights that the graph has used so far. */
  readonly used: Set<string>;
  /** Mask of padding frames; null for a model without an attention mask. */
  readonly mask: FrameMask | null;
}

/** Returns a weight on the host. @throws {ReferenceError} If there is none with this name. */
export function weightOf({ tensors, used }: ExportedModel, name: string): Weight {
  const weight = tensors.get(name);
  if (!weight) throw new ReferenceError(`The model has no weight named ${name}`);
  used.add(name);
  return weight;
}

/** Adds a weight as a constant, unchanged. */
export function constant(model: ExportedModel, name: string): Value {
  const { shape, data } = weightOf(model, name);
  return model.graph.floats(name, shape, () => data);
}

/** Adds the bias of a module to `x`. */
export function addBias(model: ExportedModel, module: string, x: Value): Value {
  return model.graph.add("Add", module, [x, constant(model, `${module}.bias`)]);
}

/**
 * Linear layer on the last axis: MatMul with the transposed weight, then the bias.
 *
 * @param model The model.
 * @param module Name of the layer.
 * @param x [..., C]
 * @param scale Factor of weight and bias, folded into them.
 * @returns [..., O]
 */
export function linear(model: ExportedModel, module: string, x: Value, scale = 1): Value {
  const { graph } = model;
  const { shape: [outputs, inputs], data } = weightOf(model, `${module}.weight`);
  const w = graph.floats(
    `${module}.weight`,
    [inputs!, outputs!],
    () => scaled(transposed(data, outputs!, inputs!), scale),
  );
  const y = graph.add("MatMul", module, [x, w]);
  if (scale === 1) return addBias(model, module, y);
  const b = weightOf(model, `${module}.bias`);
  const bias = graph.floats(`${module}.bias`, b.shape, () => scaled(b.data, scale));
  return graph.add("Add", module, [y, bias]);
}

/** Layer norm over the last axis. */
export function layerNorm(model: ExportedModel, module: string, x: Value, eps: number): Value {
  const inputs = [x, constant(model, `${module}.weight`), constant(model, `${module}.bias`)];
  return model.graph.add("LayerNormalization", module, inputs, { axis: -1, epsilon: { float: eps } });
}

/** GELU in its exact form, x·(1 + erf(x/√2))/2: one node from opset 20 on. The five before are what runtimes fuse. */
export function gelu({ graph }: ExportedModel, module: string, x: Value): Value {
  if (graph.opset >= 20) return graph.add("Gelu", module, [x]);
  const erf = graph.add("Erf", module, [
    graph.add("Div", module, [x, graph.scalar(Math.fround(Math.SQRT2))]),
  ]);
  const both = graph.add("Mul", module, [x, graph.add("Add", module, [erf, graph.scalar(1)])]);
  return graph.add("Mul", module, [both, graph.scalar(0.5)]);
}

/** Permutes the axes. */
export function transpose(
  { graph }: ExportedModel,
  module: string,
  x: Value,
  perm: readonly number[],
): Value {
  return graph.add("Transpose", module, [x], { perm });
}

/** Indices of the frames, 0 to T − 1, int64: [T]. @param x [B, T, d] */
export function frameIndices({ graph }: ExportedModel, module: string, x: Value): Value {
  const count = graph.add("Shape", module, [x], { start: 1, end: 2 });
  const frames = graph.add("Squeeze", module, [count, graph.ints([0])]);
  return graph.add("Range", module, [graph.int(0), frames, graph.int(1)]);
}

/** Transposes a matrix of `rows` × `columns`. */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = data[row * columns + column]!;
    }
  }
  return result;
}

function scaled(data: Float32Array, factor: number): Float32Array {
  return factor === 1 ? data : data.map((value) => value * factor);
}
