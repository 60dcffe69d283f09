// Encodes a model as an ONNX file.
import type { Checkpoint } from "../checkpoint/types.ts";
import type { ModelConfig } from "../config_types.ts";
import { LAYER_WEIGHTS } from "../parameter_specs.ts";
import { encode } from "./encoder.ts";
import { encodeFeatures } from "./feature_encoder.ts";
import { FrameMask } from "./frame_mask.ts";
import { type DataFile, placeExternally } from "./external_data.ts";
import { OnnxGraph, type Value } from "./graph.ts";
import { halfGraph } from "./half_graph.ts";
import { type ExportedModel, linear, weightOf } from "./layers.ts";
import { encodeModel, FLOAT, type GraphParts, INT64, type ModelParts, type ValueInfo } from "./messages.ts";
import { bytesOf, lengthOf } from "./protobuf.ts";
import { quantizedGraph } from "./quantized_graph.ts";

/** Versions of the operator set that can be written; 20 has one node for GELU. */
export const OPSETS = [17, 20] as const;

/** The version of the file format that goes with each. */
const IR_VERSIONS: Readonly<Record<OnnxOpset, number>> = { 17: 8, 20: 9 };

/** Element types of the weights, and the name of the model file that transformers.js gives to each. */
export const MODEL_FILES = { f32: "model.onnx", f16: "model_fp16.onnx", q8: "model_quantized.onnx" } as const;

/** Limit of a Protocol Buffers message in bytes. */
const MAX_BYTES = 2 ** 31 - 1;

/** Weights that training alone reads, and those that a layer keeps without its heads or units. */
const MAY_BE_UNUSED =
  /^masked_spec_embed$|^encoder\.layers\.\d+\.(attention\.(gru_rel_pos|rel_attn_embed)|(final_)?layer_norm\.)/;

/** A version of {@linkcode OPSETS}. */
export type OnnxOpset = typeof OPSETS[number];

/** An element type of {@linkcode MODEL_FILES}. */
export type OnnxDtype = keyof typeof MODEL_FILES;

/** Options of {@linkcode encodeOnnx}. */
export interface OnnxOptions {
  /** Element type of the weights; inputs and outputs are f32 with every one. Default `f32`. */
  readonly dtype?: OnnxDtype;
  /** Version of the operator set; default 17. */
  readonly opset?: OnnxOpset;
  /** Whether there is an input `attention_mask`, as `return_attention_mask` of the preprocessing states; default false. */
  readonly attentionMask?: boolean;
  /** Version of this program, which the file records; default none. */
  readonly producerVersion?: string;
  /** Name of the model in error messages. */
  readonly name?: string;
  /** Limit of a file's size in bytes; beyond it, weights are in files of their own. Default: 2 GB, the format's. */
  readonly maxBytes?: number;
}

/** An encoded ONNX file. */
export interface OnnxFile extends DataFile {
  /** Its graph. */
  readonly graph: GraphParts;
  /** Files with the weights, which belong into the same folder; none for a model below 2 GB. */
  readonly data: readonly DataFile[];
}

/**
 * Encodes a model as an ONNX file, dense or compact. Weights that change, such as transposed ones, are made only when their part of
 * a file is next. Inputs: `input_values`, f32 [B, S], and on request `attention_mask`,
 * int64 [B, S]. Output: `logits`, f32: [B, T, V] of a CTC head, [B, labels] of a classification head. Batch and samples vary.
 *
 * @param checkpoint The model.
 * @param options Operator set and inputs.
 * @throws {TypeError} If it has no head.
 * @throws {RangeError} If the model has weights that no part of the graph uses.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../config.ts";
 * import { randomCheckpoint } from "../random.ts";
 * import { encodeOnnx } from "./encode_onnx.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const file = encodeOnnx(randomCheckpoint(config, 1), { opset: 20 });
 * console.log(file.graph.nodes.length, file.bytes);
 * ```
 */
export function encodeOnnx(
  checkpoint: Pick<Checkpoint, "config" | "head" | "tensors">,
  options: OnnxOptions = {},
): OnnxFile {
  const { config, head, tensors } = checkpoint;
  const { opset = 17, dtype = "f32", attentionMask = false, name = "the model" } = options;
  if (head === "none") {
    throw new TypeError(`Cannot export ${name} as it must have a CTC or classification head: it has no head`);
  }
  const whole = new OnnxGraph(opset);
  const mask = attentionMask ? new FrameMask(whole, config, "attention_mask") : null;
  const model: ExportedModel = { graph: whole, config, tensors, used: new Set(), mask };
  const states = encode(model, encodeFeatures(model, "input_values"));
  if (head === "ctc") linear(model, "lm_head", states.at(-1)!);
  else classify(model, config.use_weighted_layer_sum ? weightedSum(model, states) : states.at(-1)!);
  whole.nameOutput("logits");
  checkUsed(model, name);

  const graph = withDtype(whole, dtype);
  const samples = ["batch", "samples"];
  const parts: ModelParts = {
    name: config.model_type,
    producerVersion: options.producerVersion ?? "",
    opset,
    irVersion: IR_VERSIONS[opset],
    ...graph,
    places: new Map(),
    inputs: [
      { name: "input_values", type: FLOAT, shape: samples },
      ...mask ? [{ name: "attention_mask", type: INT64, shape: samples } as const] : [],
    ],
    outputs: [logitsInfo(config, head)],
  };
  return { graph, ...encodeParts(parts, MODEL_FILES[dtype], options.maxBytes ?? MAX_BYTES) };
}

function withDtype(graph: GraphParts, dtype: OnnxDtype): GraphParts {
  if (dtype === "f16") return halfGraph(graph);
  if (dtype === "q8") return quantizedGraph(graph);
  return { nodes: graph.nodes, initializers: graph.initializers };
}

/** One file if its size is within the limit, else files with the weights beside it. */
function encodeParts(parts: ModelParts, name: string, maxBytes: number): Omit<OnnxFile, "graph"> {
  const fileOf = (parts: ModelParts) => {
    const message = encodeModel(parts);
    return { name, bytes: lengthOf(message), parts: () => bytesOf(message) };
  };
  const single = fileOf(parts);
  if (single.bytes <= maxBytes) return { ...single, data: [] };
  const { places, files } = placeExternally(parts.initializers, name, maxBytes);
  return { ...fileOf({ ...parts, places }), data: files };
}

/** Refuses a model with parts that are not written here, as its logits would be wrong. */
function checkUsed({ tensors, used }: ExportedModel, name: string): void {
  const unused = [...tensors.keys()].find((tensor) => !used.has(tensor) && !MAY_BE_UNUSED.test(tensor));
  if (unused === undefined) return;
  throw new RangeError(
    `Cannot export ${name} as ONNX as each weight must have a place in the graph: ${unused}`,
  );
}

function logitsInfo({ vocab_size, id2label }: ModelConfig, head: "ctc" | "classify"): ValueInfo {
  const shape = head === "ctc" ? ["batch", "frames", vocab_size] : ["batch", id2label.length];
  return { name: "logits", type: FLOAT, shape };
}

/** The classification head: projection, mean over the valid frames, classifier. */
function classify(model: ExportedModel, hidden: Value): Value {
  const { graph, mask } = model;
  const name = "projector";
  const projected = linear(model, name, hidden);
  return linear(model, "classifier", mask ? maskedMean(projected, mask) : mean());

  function mean(): Value {
    // The axes are an input from opset 18 on.
    if (graph.opset < 18) return graph.add("ReduceMean", name, [projected], { axes: [1], keepdims: 0 });
    return graph.add("ReduceMean", name, [projected, graph.ints([1])], { keepdims: 0 });
  }

  function maskedMean(x: Value, frames: FrameMask): Value {
    const sum = graph.add("ReduceSum", name, [frames.zeroPadding(model, x), graph.ints([1])], {
      keepdims: 0,
    });
    return graph.add("Div", name, [sum, graph.add("Cast", name, [frames.lengths], { to: FLOAT })]);
  }
}

/** Sum of the hidden states, each times its share, the softmax of `layer_weights`: as in model/weighted_layer_sum.ts. */
function weightedSum(model: ExportedModel, states: readonly Value[]): Value {
  const { graph } = model;
  const { data } = weightOf(model, LAYER_WEIGHTS);
  const largest = data.reduce((most, value) => Math.max(most, value), -Infinity);
  const exponentials = Array.from(data, (value) => Math.exp(value - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return states
    .map((x, n) => graph.add("Mul", LAYER_WEIGHTS, [x, graph.scalar(Math.fround(exponentials[n]! / total))]))
    .reduce((sum, x) => graph.add("Add", LAYER_WEIGHTS, [sum, x]));
}
