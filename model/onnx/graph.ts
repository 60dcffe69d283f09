import { type Attributes, FLOAT, type GraphParts, type Initializer, INT64, type Node } from "./messages.ts";

/** Name of a tensor in a graph: an input, a constant or the output of a node. */
export type Value = string;

/** An ONNX graph under construction: nodes in order of execution, and constants. */
export class OnnxGraph implements GraphParts {
  /** Version of the operator set. */
  readonly opset: number;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #names = new Map<string, number>();

  /** Creates an empty graph. @param opset Version of the operator set. */
  constructor(opset: number) {
    this.opset = opset;
  }

  /** The nodes in order of execution. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The constants. */
  get initializers(): readonly Initializer[] {
    return [...this.#initializers.values()];
  }

  /**
   * Adds a node with one output.
   *
   * @param op Operator, such as `MatMul`.
   * @param module Module of the model that it belongs to, for its name.
   * @param inputs Its inputs.
   * @param attributes Its attributes.
   * @returns Its output.
   */
  add(op: string, module: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.addMany(op, module, inputs, attributes, 1)[0]!;
  }

  /** Adds a node with several outputs, as {@linkcode add}. */
  addMany(
    op: string,
    module: string,
    inputs: readonly Value[],
    attributes: Attributes,
    outputs: number,
  ): Value[] {
    const name = this.#unique(`${module}/${op}`);
    const values = Array.from({ length: outputs }, (_, i) => outputs === 1 ? name : `${name}:${i}`);
    this.#nodes.push({ op, name, inputs, outputs: values, attributes });
    return values;
  }

  /** Renames the output of the last node, which becomes an output of the graph. */
  nameOutput(name: string): void {
    this.#nodes.push({ ...this.#nodes.pop()!, outputs: [name] });
  }

  /**
   * Adds a constant of f32.
   *
   * @param name Name; a second constant of the same name is the same.
   * @param shape Shape.
   * @param data Makes its elements, row-major, when the file is written.
   */
  floats(name: string, shape: readonly number[], data: () => Float32Array): Value {
    if (!this.#initializers.has(name)) this.#initializers.set(name, { name, type: FLOAT, shape, data });
    return name;
  }

  /** A scalar of f32. */
  scalar(value: number): Value {
    return this.floats(`f32(${value})`, [], () => Float32Array.of(value));
  }

  /** A vector of int64, such as a shape. */
  ints(values: readonly number[]): Value {
    return this.#integers(`i64[${values}]`, [values.length], values);
  }

  /** A scalar of int64. */
  int(value: number): Value {
    return this.#integers(`i64(${value})`, [], [value]);
  }

  #integers(name: string, shape: readonly number[], values: readonly number[]): Value {
    const data = () => BigInt64Array.from(values, BigInt);
    if (!this.#initializers.has(name)) this.#initializers.set(name, { name, type: INT64, shape, data });
    return name;
  }

  #unique(name: string): string {
    const before = this.#names.get(name) ?? 0;
    this.#names.set(name, before + 1);
    return before === 0 ? name : `${name}_${before}`;
  }
}
