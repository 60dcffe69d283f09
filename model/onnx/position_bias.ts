import { relativeBuckets } from "../relative_buckets.ts";
import type { Value } from "./graph.ts";
import { type ExportedModel, frameIndices, transpose, weightOf } from "./layers.ts";

/** The gated relative position bias of WavLM (arXiv 2110.13900), as in model/position_bias.ts. */
export class PositionBias {
  readonly #model: ExportedModel;
  #offsets: Value | null = null;

  /** Adds no node yet. @param model The model. */
  constructor(model: ExportedModel) {
    this.#model = model;
  }

  /**
   * Bias of the attention scores of a layer.
   *
   * @param layer Index of the layer.
   * @param x Input of its attention, [B, T, d].
   * @returns [B, H, T, T]
   */
  of(layer: number, x: Value): Value {
    const model = this.#model;
    const { graph, config } = model;
    const name = `encoder.layers.${layer}.attention.rel_pos`;
    const all = config.hidden_size / config.head_dim;
    const kept = config.remaining_heads?.[layer] ?? null;
    const subset = kept !== null && kept.length < all ? kept : null;
    let offsets = this.#offsets ??= this.#offsetBias(x);
    let slices = graph.add("Reshape", name, [x, graph.ints([0, 0, all, config.head_dim])]);
    if (subset) {
      offsets = graph.add("Gather", name, [offsets, graph.ints(subset)], { axis: 0 });
      slices = graph.add("Gather", name, [slices, graph.ints(subset)], { axis: 2 });
    }
    const gate = this.#gate(layer, kept ?? range(all), transpose(model, name, slices, [0, 2, 1, 3]));
    return graph.add("Mul", name, [gate, offsets]);
  }

  /**
   * The gate a·(b·c − 1) + 2 of every query. The sums of four outputs, of which a and b are the sigmoids, are folded into the
   * weights.
   *
   * @param layer Index of the layer.
   * @param heads Its heads, in the dense model.
   * @param x Slices of the attention input, [B, H, T, D].
   * @returns [B, H, T, 1]
   */
  #gate(layer: number, heads: readonly number[], x: Value): Value {
    const model = this.#model;
    const { graph, config: { head_dim } } = model;
    const name = `encoder.layers.${layer}.attention.gru_rel_pos`;
    const { data: w } = weightOf(model, `${name}_linear.weight`);
    const { data: b } = weightOf(model, `${name}_linear.bias`);
    const { data: c } = weightOf(model, `${name}_const`);
    const weight = graph.floats(`${name}_linear.weight`, [head_dim, 2], () => {
      const columns = [0, 4].map((row) =>
        range(head_dim).map((k) => sumOfFour(w, row * head_dim + k, head_dim))
      );
      return Float32Array.from({ length: 2 * head_dim }, (_, i) => columns[i % 2]![i >> 1]!);
    });
    const bias = graph.floats(`${name}_linear.bias`, [2], () => {
      return Float32Array.of(sumOfFour(b, 0, 1), sumOfFour(b, 4, 1));
    });
    const factor = graph.floats(`${name}_const`, [heads.length, 1, 1], () => {
      return Float32Array.from(heads, (head) => c[head]!);
    });
    const sums = graph.add("Add", name, [graph.add("MatMul", name, [x, weight]), bias]);
    const sigmoids = graph.add("Sigmoid", name, [sums]);
    const [first, second] = graph.addMany("Split", name, [sigmoids, graph.ints([1, 1])], { axis: -1 }, 2);
    const inner = graph.add("Sub", name, [graph.add("Mul", name, [second!, factor]), graph.scalar(1)]);
    return graph.add("Add", name, [graph.add("Mul", name, [first!, inner]), graph.scalar(2)]);
  }

  /**
   * The embeddings of the offsets from query to key, for all heads of the dense model: [H, T, T]. The buckets do not change from
   * `max_bucket_distance` on, so a table of the offsets up to it is enough.
   */
  #offsetBias(x: Value): Value {
    const model = this.#model;
    const { graph, config: { num_buckets, max_bucket_distance: farthest } } = model;
    const name = "encoder.layers.0.attention.rel_attn_embed";
    const { shape: [, all], data } = weightOf(model, `${name}.weight`);
    const table = graph.floats(`${name}.by_offset`, [all!, 2 * farthest + 1], () => {
      const buckets = relativeBuckets(farthest + 1, num_buckets, farthest);
      return Float32Array.from(
        range(all!).flatMap((head) => buckets.map((bucket) => data[bucket * all! + head]!)),
      );
    });
    const frames = frameIndices(model, name, x);
    const queries = graph.add("Unsqueeze", name, [frames, graph.ints([1])]);
    const offsets = graph.add("Sub", name, [frames, queries]);
    const bounded = graph.add("Max", name, [
      graph.add("Min", name, [offsets, graph.int(farthest)]),
      graph.int(-farthest),
    ]);
    const indices = graph.add("Add", name, [bounded, graph.int(farthest)]);
    return graph.add("Gather", name, [table, indices], { axis: 1 });
  }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Sum of four elements, the first at `start`. */
function sumOfFour(data: Float32Array, start: number, stride: number): number {
  return data[start]! + data[start + stride]! + data[start + 2 * stride]! + data[start + 3 * stride]!;
}
