import { FLOAT, FLOAT16, type GraphParts, type Initializer, type Node } from "./messages.ts";

/** Convolutions with fewer input or output channels, such as the first one, are f32: their rounding errors do not average out. */
const MIN_CHANNELS = 4;

/** Operators of single elements: f16 if their input is, so that there is no cast between two GEMMs. */
const AS_THEIR_INPUT: ReadonlySet<string> = new Set([
  ...["Add", "Div", "Erf", "Gelu", "Mul", "Relu", "Reshape", "Transpose", "Where"],
]);

/**
 * A graph with f16 weights whose convolutions and GEMMs, and the activations between them, are f16. Norms, the softmax, means and
 * the sums of the residual stream, where f16 overflows or loses digits, are f32, as inputs and outputs of the model are.
 *
 * @param graph A graph of f32.
 * @returns The graph with the casts that are needed.
 */
export function halfGraph(graph: GraphParts): GraphParts {
  return new HalfGraph(graph).parts();
}

class HalfGraph {
  readonly #graph: GraphParts;
  readonly #constants: ReadonlyMap<string, Initializer>;
  /** Values that are f16. */
  readonly #half = new Set<string>();
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #casts = new Map<string, string>();

  constructor(graph: GraphParts) {
    this.#graph = graph;
    this.#constants = new Map(graph.initializers.map((one) => [one.name, one]));
  }

  parts(): GraphParts {
    const last = this.#graph.nodes.at(-1)!;
    for (const node of this.#graph.nodes) this.#add(node);
    const [output] = last.outputs;
    if (this.#half.has(output!)) {
      // The output of the graph keeps its name and type.
      const name = `${output}/f16`;
      this.#nodes.push({ ...this.#nodes.pop()!, outputs: [name] }, castNode(name, output!, FLOAT));
    }
    return { nodes: this.#nodes, initializers: [...this.#initializers.values()] };
  }

  #add(node: Node): void {
    const half = this.#isHalf(node);
    const inputs = node.inputs.map((input, i) => isCondition(node, i) ? input : this.#as(half, input));
    if (half) node.outputs.forEach((output) => this.#half.add(output));
    this.#nodes.push({ ...node, inputs });
  }

  #isHalf(node: Node): boolean {
    if (node.op === "Conv") return this.#isWide(node.inputs[1]!);
    if (node.op === "MatMul") return true;
    if (!AS_THEIR_INPUT.has(node.op)) return false;
    const activations = node.inputs.filter((input, i) =>
      !isCondition(node, i) && !this.#constants.has(input)
    );
    const residual = node.op === "Add" && activations.length > 1;
    return !residual && activations.length > 0 && activations.every((input) => this.#half.has(input));
  }

  #isWide(weight: string): boolean {
    const [outputs, inputs] = this.#constants.get(weight)!.shape;
    return Math.min(outputs!, inputs!) >= MIN_CHANNELS;
  }

  /** A value as a node of f16 or f32 reads it. */
  #as(half: boolean, value: string): string {
    const constant = this.#constants.get(value);
    if (constant) return this.#constant(half, constant);
    if (this.#half.has(value) === half) return value;
    return this.#cast(half, value);
  }

  #constant(half: boolean, constant: Initializer): string {
    const rounded = half && constant.type === FLOAT ? inHalf(constant) : constant;
    this.#initializers.set(rounded.name, rounded);
    return rounded.name;
  }

  #cast(half: boolean, value: string): string {
    const name = `${value}/${half ? "f16" : "f32"}`;
    if (!this.#casts.has(name)) {
      this.#casts.set(name, value);
      this.#nodes.push(castNode(value, name, half ? FLOAT16 : FLOAT));
    }
    return name;
  }
}

function isCondition({ op }: Node, input: number): boolean {
  return op === "Where" && input === 0;
}

function castNode(input: string, output: string, to: number): Node {
  return { op: "Cast", name: `${output}/Cast`, inputs: [input], outputs: [output], attributes: { to } };
}

function inHalf({ name, shape, data }: Initializer): Initializer {
  return {
    name: `${name}/f16`,
    type: FLOAT16,
    shape,
    data: () => new Float16Array(data() as Float32Array),
  };
}
