import type { ModelConfig } from "../config_types.ts";
import type { OnnxGraph, Value } from "./graph.ts";
import { type ExportedModel, frameIndices } from "./layers.ts";

/** Added to the scores of masked keys: the lowest f32, so that exp underflows to 0. */
const LOWEST = -3.4028234663852886e38;

const MODULE = "attention_mask";

/** Mask of padding frames, computed once from the input `attention_mask`, [B, S] of 0 and 1. */
export class FrameMask {
  /** Valid frames of each utterance, int64: [B, 1]. */
  readonly lengths: Value;
  readonly #graph: OnnxGraph;
  #valid: Value | null = null;
  #bias: Value | null = null;

  /**
   * Computes the lengths. The formulas of the convolutions, ⌊(n − k)/s⌋ + 1 one after another, make one with the receptive field R
   * and the hop: ⌊(n − R)/hop⌋ + 1.
   *
   * @param graph The graph.
   * @param config Architecture.
   * @param mask The input, int64: [B, S].
   */
  constructor(graph: OnnxGraph, { conv_kernel, conv_stride }: ModelConfig, mask: Value) {
    let receptive = 1;
    let hop = 1;
    conv_kernel.forEach((kernel, i) => {
      receptive += (kernel - 1) * hop;
      hop *= conv_stride[i]!;
    });
    const samples = graph.add("ReduceSum", MODULE, [mask, graph.ints([1])], { keepdims: 1 });
    const beyond = graph.add("Add", MODULE, [samples, graph.int(hop - receptive)]);
    this.lengths = graph.add("Div", MODULE, [beyond, graph.int(hop)]);
    this.#graph = graph;
  }

  /**
   * Sets padding frames to 0.
   *
   * @param model The model.
   * @param x [B, T, C]
   */
  zeroPadding(model: ExportedModel, x: Value): Value {
    const graph = this.#graph;
    const valid = graph.add("Unsqueeze", MODULE, [this.#validFrames(model, x), graph.ints([2])]);
    return graph.add("Where", MODULE, [valid, x, graph.scalar(0)]);
  }

  /** Bias of the attention scores, 0 for valid keys: [B, 1, 1, T]. @param x [B, T, d] */
  scoreBias(model: ExportedModel, x: Value): Value {
    if (this.#bias) return this.#bias;
    const graph = this.#graph;
    const keys = graph.add("Unsqueeze", MODULE, [this.#validFrames(model, x), graph.ints([1, 2])]);
    return this.#bias = graph.add("Where", MODULE, [keys, graph.scalar(0), graph.scalar(LOWEST)]);
  }

  /** Whether a frame is valid, bool: [B, T]. */
  #validFrames(model: ExportedModel, x: Value): Value {
    return this.#valid ??= this.#graph.add("Less", MODULE, [frameIndices(model, MODULE, x), this.lengths]);
  }
}
