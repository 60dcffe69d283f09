import { type Nd, nd } from "../nd.ts";
import { layerSizes, type ModelConfig, prefixOf } from "./config.ts";

/**
 * The compact model that computes what the model with these gates does: closed units (gate 0) are cut out, the gates
 * of the others multiplied into the weights that read them.
 */
export function cutModel(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  gates: ReadonlyMap<string, Nd>,
): { config: ModelConfig; weights: Map<string, Nd> } {
  const cut = new Cut(config, weights, gates);
  const conv_dim = config.conv_dim.map((size, i) => cut.conv(i) ?? size);
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => {
    return { heads: cut.heads(i), units: cut.units(i) };
  });
  const compact = {
    ...config,
    conv_dim,
    num_attention_heads: layers.map(({ heads }) => heads.length),
    intermediate_size: layers.map(({ units }) => units),
    head_dim: layerSizes(config, 0).width,
    ...(config.model_type === "wavlm" && { remaining_heads: layers.map(({ heads }) => heads) }),
  };
  return { config: compact, weights: cut.weights };
}

/** Weights from which units are cut. */
class Cut {
  readonly weights: Map<string, Nd>;
  readonly #config: ModelConfig;
  readonly #gates: ReadonlyMap<string, Nd>;
  readonly #prefix: string;

  constructor(config: ModelConfig, weights: ReadonlyMap<string, Nd>, gates: ReadonlyMap<string, Nd>) {
    this.weights = new Map(weights);
    this.#config = config;
    this.#gates = gates;
    this.#prefix = prefixOf(config);
  }

  /** Cuts the channels of a convolution, and returns how many are left; null without gates. */
  conv(i: number): number | null {
    const gate = this.#gates.get(`conv.${i}`);
    if (!gate) return null;
    const kept = openOf(gate);
    const name = `${this.#prefix}feature_extractor.conv_layers.${i}`;
    for (const part of ["conv.weight", "conv.bias", "layer_norm.weight", "layer_norm.bias"]) {
      this.#keep(`${name}.${part}`, 0, kept);
    }
    const last = i === this.#config.conv_dim.length - 1;
    const reader = last
      ? `${this.#prefix}feature_projection.projection.weight`
      : `${this.#prefix}feature_extractor.conv_layers.${i + 1}.conv.weight`;
    this.#scale(reader, 1, [...gate.data]);
    this.#keep(reader, 1, kept);
    if (last) {
      this.#keep(`${this.#prefix}feature_extractor.dummy_weight`, 0, kept);
      for (const part of ["weight", "bias"]) {
        this.#keep(`${this.#prefix}feature_projection.layer_norm.${part}`, 0, kept);
      }
    }
    return kept.length;
  }

  /** Cuts the heads of a layer, and returns the indices in the dense model of those that are left. */
  heads(i: number): number[] {
    const { heads, width, remaining } = layerSizes(this.#config, i);
    const name = `${this.#prefix}encoder.layers.${i}.attention`;
    const gate = this.#gates.get(`heads.${i}`) ?? nd([heads], new Array(heads).fill(1));
    const kept = openOf(gate);
    const columns = kept.flatMap((h) => Array.from({ length: width }, (_, n) => h * width + n));
    for (const which of ["q", "k", "v"]) {
      for (const part of ["weight", "bias"]) this.#keep(`${name}.${which}_proj.${part}`, 0, columns);
    }
    this.#scale(`${name}.out_proj.weight`, 1, [...gate.data].flatMap((z) => new Array(width).fill(z)));
    this.#keep(`${name}.out_proj.weight`, 1, columns);
    return kept.map((h) => remaining[h]!);
  }

  /** Cuts the feed-forward units of a layer, and returns how many are left. */
  units(i: number): number {
    const { units } = layerSizes(this.#config, i);
    const name = `${this.#prefix}encoder.layers.${i}.feed_forward`;
    const gate = this.#gates.get(`ffn.${i}`) ?? nd([units], new Array(units).fill(1));
    const kept = openOf(gate);
    for (const part of ["weight", "bias"]) this.#keep(`${name}.intermediate_dense.${part}`, 0, kept);
    this.#scale(`${name}.output_dense.weight`, 1, [...gate.data]);
    this.#keep(`${name}.output_dense.weight`, 1, kept);
    return kept.length;
  }

  #keep(name: string, axis: number, kept: number[]): void {
    this.#change(name, (x) => take(x, axis, kept));
  }

  #scale(name: string, axis: number, by: number[]): void {
    this.#change(name, (x) => times(x, axis, by));
  }

  #change(name: string, f: (x: Nd) => Nd): void {
    const x = this.weights.get(name);
    if (x) this.weights.set(name, f(x));
  }
}

const openOf = (gate: Nd) => [...gate.data.keys()].filter((i) => gate.data[i]! > 0);

/** The entries `kept` of an axis, in their order. */
function take(x: Nd, axis: number, kept: number[]): Nd {
  const inner = x.shape.slice(axis + 1).reduce((size, n) => size * n, 1);
  const size = x.shape[axis]!;
  const outer = x.data.length / Math.max(1, inner * size);
  const data: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (const i of kept) {
      for (let n = 0; n < inner; n++) data.push(x.data[(o * size + i) * inner + n]!);
    }
  }
  return nd(x.shape.with(axis, kept.length), data);
}

/** Every entry of an axis times its factor. */
function times(x: Nd, axis: number, by: number[]): Nd {
  const inner = x.shape.slice(axis + 1).reduce((size, n) => size * n, 1);
  return nd(x.shape, x.data.map((v, n) => v * by[Math.floor(n / inner) % by.length]!));
}
