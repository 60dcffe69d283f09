// The messages of ONNX (onnx.proto3, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
import { floatField, intField, type LazyBytes, type Message, messageField, stringField } from "./protobuf.ts";

/** Element types of tensors: `TensorProto.DataType`. */
export const FLOAT = 1;
/** See {@linkcode FLOAT}. */
export const UINT8 = 2;
/** See {@linkcode FLOAT}. */
export const INT8 = 3;
/** See {@linkcode FLOAT}. */
export const INT64 = 7;
/** See {@linkcode FLOAT}. */
export const FLOAT16 = 10;

/** Size of an element in bytes. */
const ELEMENT_BYTES = { [FLOAT]: 4, [UINT8]: 1, [INT8]: 1, [INT64]: 8, [FLOAT16]: 2 } as const;

/** One of the element types. */
export type ElementType = keyof typeof ELEMENT_BYTES;

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
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: () => ArrayBufferView;
}

/** Nodes in order of execution, and the constants that they read. */
export interface GraphParts {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
}

/** Where the data of a constant is, if not in the model file. */
export interface DataPlace {
  /** Name of a file in the folder of the model file. */
  readonly location: string;
  /** First byte. */
  readonly offset: number;
}

/** An input or output of the model; a dimension that varies has a name. */
export interface ValueInfo {
  readonly name: string;
  readonly type: typeof FLOAT | typeof INT64;
  readonly shape: readonly (number | string)[];
}

/** What a model file holds. */
export interface ModelParts extends GraphParts {
  readonly name: string;
  readonly producerVersion: string;
  readonly opset: number;
  readonly irVersion: number;
  /** Places of the constants by name, as far as their data is in other files. */
  readonly places: ReadonlyMap<string, DataPlace>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** Encodes a `ModelProto`. */
export function encodeModel(parts: ModelParts): Message {
  const graph = [
    ...parts.nodes.flatMap((node) => messageField(1, encodeNode(node))),
    ...stringField(2, parts.name),
    ...parts.initializers.flatMap((one) => messageField(5, encodeTensor(one, parts.places.get(one.name)))),
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

/** Size of a constant in bytes. */
export function byteLengthOf({ type, shape }: Initializer): number {
  return shape.reduce((size, n) => size * n, ELEMENT_BYTES[type]);
}

/** The bytes of a constant, made when they are written. */
export function rawData(initializer: Initializer): LazyBytes {
  return {
    length: byteLengthOf(initializer),
    make: () => {
      const { buffer, byteOffset, byteLength } = initializer.data();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  };
}

/** Field 13 has the place of external data, and 1 in field 14 means that there is one. */
function encodeTensor(initializer: Initializer, place?: DataPlace): Message {
  const { name, type, shape } = initializer;
  const described = [...shape.flatMap((n) => intField(1, n)), ...intField(2, type), ...stringField(8, name)];
  if (!place) return [...described, ...messageField(9, [rawData(initializer)])];
  const entries = { ...place, length: byteLengthOf(initializer) };
  return [
    ...described,
    ...Object.entries(entries).flatMap(([key, value]) =>
      messageField(13, [...stringField(1, key), ...stringField(2, String(value))])
    ),
    ...intField(14, 1),
  ];
}

function encodeValueInfo({ name, type, shape }: ValueInfo): Message {
  const dimensions = shape.flatMap((n) =>
    messageField(1, typeof n === "number" ? intField(1, n) : stringField(2, n))
  );
  const tensor = [...intField(1, type), ...messageField(2, dimensions)];
  return [...stringField(1, name), ...messageField(2, messageField(1, tensor))];
}
