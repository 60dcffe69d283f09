import { FLOAT, type GraphParts, type Initializer, INT8, type Node, UINT8 } from "./messages.ts";

/** Weights with fewer elements stay f32. */
const MIN_ELEMENTS = 1024;

/** Zero of unsigned weights. */
const MIDDLE = 128;

/** A quantised weight: its elements and a scale per output channel. */
interface Quantized {
  readonly elements: string;
  readonly scale: string;
}

/**
 * A graph with weights of 8 bits, with a scale per output channel. GEMMs multiply integers: their inputs are quantised when the
 * model runs, with one scale for the whole tensor. Convolutions compute in f32, with weights that are dequantised when the model
 * runs. The weights of GEMMs are unsigned, as sums of unsigned times signed bytes saturate on a CPU without VNNI.
 *
 * @param graph A graph of f32.
 * @returns The graph with quantised weights.
 */
export function quantizedGraph(graph: GraphParts): GraphParts {
  return new QuantizedGraph(graph).parts();
}

class QuantizedGraph {
  readonly #graph: GraphParts;
  readonly #constants: ReadonlyMap<string, Initializer>;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  /** Quantised activations by their value: elements, scale and zero. */
  readonly #activations = new Map<string, readonly string[]>();

  constructor(graph: GraphParts) {
    this.#graph = graph;
    this.#constants = new Map(graph.initializers.map((one) => [one.name, one]));
  }

  parts(): GraphParts {
    for (const node of this.#graph.nodes) {
      const weight = this.#weightOf(node);
      if (!weight) {
        for (const input of node.inputs) this.#keep(input);
        this.#nodes.push(node);
      } else if (node.op === "MatMul") this.#multiply(node, weight);
      else this.#convolve(node, weight);
    }
    return { nodes: this.#nodes, initializers: [...this.#initializers.values()] };
  }

  /** The weight of a node that is to be quantised. */
  #weightOf({ op, inputs }: Node): Initializer | undefined {
    if (op !== "MatMul" && op !== "Conv") return undefined;
    const weight = this.#constants.get(inputs[1]!);
    return weight && sizeOf(weight) >= MIN_ELEMENTS ? weight : undefined;
  }

  /** Keeps a constant; does nothing for other values. */
  #keep(name: string): void {
    const constant = this.#constants.get(name);
    if (constant) this.#initializers.set(name, constant);
  }

  #add(op: string, inputs: readonly string[], outputs: readonly string[], attributes = {}): void {
    this.#nodes.push({ op, name: `${outputs[0]}/${op}`, inputs, outputs, attributes });
  }

  /** The nodes that onnxruntime fuses: the matmul of integers, as f32, times both scales. */
  #multiply({ inputs: [x], outputs: [y] }: Node, weight: Initializer): void {
    const { elements, scale } = this.#quantize(weight, 1, MIDDLE);
    const [, outputs] = weight.shape;
    const zero = `${weight.name}/zero`;
    const data = () => new Uint8Array(outputs!).fill(MIDDLE);
    this.#initializers.set(zero, { name: zero, type: UINT8, shape: [outputs!], data });
    const [xq, xScale, xZero] = this.#quantizeActivation(x!);
    this.#add("MatMulInteger", [xq!, elements, xZero!, zero], [`${y}/i32`]);
    this.#add("Cast", [`${y}/i32`], [`${y}/f32`], { to: FLOAT });
    this.#add("Mul", [xScale!, scale], [`${y}/scale`]);
    this.#add("Mul", [`${y}/f32`, `${y}/scale`], [y!]);
  }

  #convolve(node: Node, weight: Initializer): void {
    const { elements, scale } = this.#quantize(weight, 0, 0);
    const [x, , ...bias] = node.inputs;
    const w = `${weight.name}/f32`;
    for (const input of bias) this.#keep(input);
    this.#add("DequantizeLinear", [elements, scale], [w], { axis: 0 });
    this.#nodes.push({ ...node, inputs: [x!, w, ...bias] });
  }

  #quantizeActivation(x: string): readonly string[] {
    let outputs = this.#activations.get(x);
    if (!outputs) {
      outputs = [`${x}/u8`, `${x}/u8_scale`, `${x}/u8_zero`];
      this.#activations.set(x, outputs);
      this.#add("DynamicQuantizeLinear", [x], outputs);
    }
    return outputs;
  }

  /** @param axis Axis of the output channels. @param zero Zero of the elements: 0 for signed ones. */
  #quantize({ name, shape, data }: Initializer, axis: number, zero: number): Quantized {
    const channels = shape[axis]!;
    const inner = shape.slice(axis + 1).reduce((size, n) => size * n, 1);
    const channelOf = (i: number) => Math.floor(i / inner) % channels;
    const elements = `${name}/${zero === 0 ? "s8" : "u8"}`;
    const scale = `${name}/scale`;
    const weights = () => data() as Float32Array;
    this.#initializers.set(elements, {
      name: elements,
      type: zero === 0 ? INT8 : UINT8,
      shape,
      data: () => {
        const values = weights();
        const scales = scalesOf(values, channels, channelOf);
        const quantized = new (zero === 0 ? Int8Array : Uint8Array)(values.length);
        values.forEach((value, i) => quantized[i] = Math.round(value / scales[channelOf(i)]!) + zero);
        return quantized;
      },
    });
    const scales = () => scalesOf(weights(), channels, channelOf);
    this.#initializers.set(scale, { name: scale, type: FLOAT, shape: [channels], data: scales });
    return { elements, scale };
  }
}

/** The largest element of each channel as 127 steps. */
function scalesOf(values: Float32Array, channels: number, channelOf: (i: number) => number): Float32Array {
  const largest = new Float32Array(channels);
  values.forEach((value, i) => {
    const channel = channelOf(i);
    largest[channel] = Math.max(largest[channel]!, Math.abs(value));
  });
  return largest.map((value) => (value || 1) / 127);
}

function sizeOf({ shape }: Initializer): number {
  return shape.reduce((size, n) => size * n, 1);
}
