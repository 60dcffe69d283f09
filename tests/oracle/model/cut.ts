import { type Nd, nd } from "../nd.ts";
import { layerSizes, type ModelConfig } from "./config.ts";

/**
 * The compact model that computes what the model with these gates does: closed units (gate 0) are cut out, the gates
 * of the others multiplied into the weights that read them.
 */
export function cutModel(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  gates: ReadonlyMap<string, Nd>,
): { config: ModelConfig; weights: Map<string, Nd> } {
  const prefix = `${config.model_type}.`;
  const result = new Map(weights);
  const change = (name: string, f: (x: Nd) => Nd) => {
    const x = result.get(name);
    if (x) result.set(name, f(x));
  };
  const keep = (name: string, axis: number, kept: number[]) => change(name, (x) => take(x, axis, kept));
  const scale = (name: string, axis: number, by: number[]) => change(name, (x) => times(x, axis, by));
  const openOf = (gate: Nd) => [...gate.data.keys()].filter((i) => gate.data[i]! > 0);

  const convs = config.conv_dim.length;
  const conv_dim = config.conv_dim.map((size, i) => {
    const gate = gates.get(`conv.${i}`);
    if (!gate) return size;
    const kept = openOf(gate);
    const name = `${prefix}feature_extractor.conv_layers.${i}`;
    for (const part of ["conv.weight", "conv.bias", "layer_norm.weight", "layer_norm.bias"]) {
      keep(`${name}.${part}`, 0, kept);
    }
    const reader = i < convs - 1
      ? `${prefix}feature_extractor.conv_layers.${i + 1}.conv.weight`
      : `${prefix}feature_projection.projection.weight`;
    scale(reader, 1, [...gate.data]);
    keep(reader, 1, kept);
    if (i === convs - 1) {
      for (const part of ["weight", "bias"]) keep(`${prefix}feature_projection.layer_norm.${part}`, 0, kept);
    }
    return kept.length;
  });

  const num_attention_heads: number[] = [];
  const intermediate_size: number[] = [];
  const remaining_heads: number[][] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const { heads, width, units, remaining } = layerSizes(config, i);
    const name = `${prefix}encoder.layers.${i}`;
    const gate = gates.get(`heads.${i}`) ?? nd([heads], new Array(heads).fill(1));
    const kept = openOf(gate);
    const columns = kept.flatMap((h) => Array.from({ length: width }, (_, n) => h * width + n));
    for (const which of ["q", "k", "v"]) {
      for (const part of ["weight", "bias"]) keep(`${name}.attention.${which}_proj.${part}`, 0, columns);
    }
    const out = `${name}.attention.out_proj.weight`;
    scale(out, 1, [...gate.data].flatMap((z) => new Array(width).fill(z)));
    keep(out, 1, columns);
    num_attention_heads.push(kept.length);
    remaining_heads.push(kept.map((h) => remaining[h]!));

    const unitGate = gates.get(`ffn.${i}`) ?? nd([units], new Array(units).fill(1));
    const keptUnits = openOf(unitGate);
    for (const part of ["weight", "bias"]) {
      keep(`${name}.feed_forward.intermediate_dense.${part}`, 0, keptUnits);
    }
    scale(`${name}.feed_forward.output_dense.weight`, 1, [...unitGate.data]);
    keep(`${name}.feed_forward.output_dense.weight`, 1, keptUnits);
    intermediate_size.push(keptUnits.length);
  }
  const compact = {
    ...config,
    conv_dim,
    num_attention_heads,
    intermediate_size,
    head_dim: layerSizes(config, 0).width,
    ...(config.model_type === "wavlm" && { remaining_heads }),
  };
  return { config: compact, weights: result };
}

/** The entries `kept` of an axis, in their order. */
function take(x: Nd, axis: number, kept: number[]): Nd {
  const inner = x.shape.slice(axis + 1).reduce((product, n) => product * n, 1);
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
  const inner = x.shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  return nd(x.shape, x.data.map((v, n) => v * by[Math.floor(n / inner) % by.length]!));
}
