// The messages of ONNX (onnx.proto3, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
import { floatField, intField, type Message, messageField, stringField } from "./protobuf.ts";

/** Element types of tensors: `TensorProto.DataType`. */
export const FLOAT = 1;
/** See {@linkcode FLOAT}. */
export const INT64 = 7;

/** Attributes of a node: a string, a whole number, whole numbers, or `{ float }`. */
export type Attributes = Readonly<Record<string, string | number | readonly number[] | { float: number }>>;

/** A node: an operator with its inputs and outputs by name. */
export interface Node {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A constant tensor; its data is made when it is written. */
export interface Initializer {
  readonly name: string;
  readonly type: typeof FLOAT | typeof INT64;
  readonly shape: readonly number[];
  readonly data: () => Float32Array | BigInt64Array;
}

/** An input or output of the model; a dimension that varies has a name. */
export interface ValueInfo {
  readonly name: string;
  readonly type: typeof FLOAT | typeof INT64;
  readonly shape: readonly (number | string)[];
}

/** What a model file holds. */
export interface ModelParts {
  readonly name: string;
  readonly producerVersion: string;
  readonly opset: number;
  readonly irVersion: number;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** Encodes a `ModelProto`. */
export function encodeModel(parts: ModelParts): Message {
  const graph = [
    ...parts.nodes.flatMap((node) => messageField(1, encodeNode(node))),
    ...stringField(2, parts.name),
    ...parts.initializers.flatMap((one) => messageField(5, encodeTensor(one))),
    ...parts.inputs.flatMap((one) => messageField(11, encodeValueInfo(one))),
    ...parts.outputs.flatMap((one) => messageField(12, encodeValueInfo(one))),
  ];
  return [
    ...intField(1, parts.irVersion),
    ...stringField(2, "espalier"),
    ...stringField(3, parts.producerVersion),
    ...messageField(7, graph),
    ...messageField(8, [...stringField(1, ""), ...intField(2, parts.opset)]),
  ];
}

function encodeNode({ op, name, inputs, outputs, attributes }: Node): Message {
  return [
    ...inputs.flatMap((input) => stringField(1, input)),
    ...outputs.flatMap((output) => stringField(2, output)),
    ...stringField(3, name),
    ...stringField(4, op),
    ...Object.entries(attributes).flatMap(([key, value]) => messageField(5, encodeAttribute(key, value))),
  ];
}

/** Field 20 is the `AttributeType`. */
function encodeAttribute(name: string, value: Attributes[string]): Message {
  const named = stringField(1, name);
  if (typeof value === "number") return [...named, ...intField(3, value), ...intField(20, 2)];
  if (typeof value === "string") return [...named, ...stringField(4, value), ...intField(20, 3)];
  if ("float" in value) return [...named, ...floatField(2, value.float), ...intField(20, 1)];
  return [...named, ...value.flatMap((one) => intField(8, one)), ...intField(20, 7)];
}

function encodeTensor({ name, type, shape, data }: Initializer): Message {
  const elements = shape.reduce((size, n) => size * n, 1);
  const raw = {
    length: elements * (type === FLOAT ? 4 : 8),
    make: () => {
      const { buffer, byteOffset, byteLength } = data();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  };
  return [
    ...shape.flatMap((n) => intField(1, n)),
    ...intField(2, type),
    ...stringField(8, name),
    ...messageField(9, [raw]),
  ];
}

function encodeValueInfo({ name, type, shape }: ValueInfo): Message {
  const dimensions = shape.flatMap((n) =>
    messageField(1, typeof n === "number" ? intField(1, n) : stringField(2, n))
  );
  const tensor = [...intField(1, type), ...messageField(2, dimensions)];
  return [...stringField(1, name), ...messageField(2, messageField(1, tensor))];
}
