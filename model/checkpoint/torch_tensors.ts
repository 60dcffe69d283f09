// Tensors of PyTorch files: a storage is an array of elements of one type, a tensor a strided view of it.

import { printable } from "../../files/printable.ts";
import { byteSize, isSizes, type SafetensorsDtype } from "./safetensors_format.ts";
import { Global } from "./pickle.ts";
import type { SafetensorsEntry } from "./safetensors.ts";
import type { Fail } from "./zip_directory.ts";

/** Dtype by storage class. */
const STORAGES: Readonly<Record<string, SafetensorsDtype>> = {
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  DoubleStorage: "F64",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** A storage that a pickle refers to. */
export class TorchStorage {
  /** Offset of its first byte in the file; null until it is known. */
  start: number | null = null;
  /** Its bytes, little-endian; null until they are read. */
  bytes: Uint8Array | null = null;

  /** @param dtype Type of its elements. @param size Number of them. */
  constructor(readonly dtype: SafetensorsDtype, readonly size: number) {}

  /** Number of its bytes. */
  get length(): number {
    return byteSize(this.dtype, [this.size]);
  }
}

/** A strided view of a storage. */
export interface TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: number[];
  readonly strides: readonly number[];
}

const tensors = new WeakSet<object>();

/** Whether a value of a pickle is a tensor. */
export function isTorchTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && tensors.has(value);
}

/**
 * Returns the storage of a persistent id: `("storage", type, key, location, number of elements)`.
 *
 * @param id The persistent id.
 * @param known Storages by key; each is made once.
 * @param fail Called with the rule that is broken.
 */
export function storageOf(id: unknown, known: Map<string, TorchStorage>, fail: Fail): TorchStorage {
  const [kind, type, key, , size] = Array.isArray(id) ? id : [];
  const dtype = type instanceof Global ? STORAGES[type.name.replace(/^torch(\.storage)?\./, "")] : undefined;
  if (kind !== "storage" || dtype === undefined) {
    return fail(
      "storages must be of a known type",
      type instanceof Global ? printable(type.name) : "it has none",
    );
  }
  if (typeof key !== "string" && typeof key !== "number") {
    return fail("a storage has a key, a text or number", "one has another");
  }
  const name = String(key);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return fail("a storage has a size", printable(`${name} has ${typeof size === "number" ? size : "none"}`));
  }
  const before = known.get(name);
  if (before) {
    if (before.dtype !== dtype || before.size !== size) {
      fail("a storage has one type and size", `${printable(name)} has two`);
    }
    return before;
  }
  const made = new TorchStorage(dtype, size);
  known.set(name, made);
  return made;
}

/**
 * Evaluates a call that builds a tensor or dictionary; undefined for all other calls.
 *
 * @param name Name of the function or class.
 * @param args Its arguments.
 * @param fail Called with the rule that is broken.
 */
export function torchCall(name: string, args: readonly unknown[], fail: Fail): unknown {
  switch (name) {
    case "collections.OrderedDict":
    case "collections.defaultdict":
    case "builtins.dict":
      return dictionary(args.at(-1));
    case "torch._utils._rebuild_tensor":
    case "torch._utils._rebuild_tensor_v2":
      return tensorOf(args, fail);
    case "torch._utils._rebuild_parameter":
    case "torch._utils._rebuild_parameter_with_state":
    case "torch.nn.parameter.Parameter":
      return isTorchTensor(args[0]) ? args[0] : undefined;
    case "torch._tensor._rebuild_from_type_v2": {
      const [make, , inner] = args;
      const known = make instanceof Global && make.name !== name && Array.isArray(inner);
      return known ? torchCall(make.name, inner, fail) : undefined;
    }
    case "torch.Size":
      return Array.isArray(args[0]) ? args[0] : [];
    default:
      return undefined;
  }
}

/** A dictionary from a list of pairs, if there is one. */
function dictionary(pairs: unknown): Map<unknown, unknown> {
  const made = new Map<unknown, unknown>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (Array.isArray(pair) && pair.length === 2) made.set(pair[0], pair[1]);
  }
  return made;
}

function tensorOf([storage, offset, shape, strides]: readonly unknown[], fail: Fail): TorchTensor {
  const whole = typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0;
  if (!(storage instanceof TorchStorage) || !whole || !isAxes(shape) || !isAxes(strides)) {
    return fail("a tensor has a storage, an offset, sizes and strides", "one of them is something else");
  }
  if (shape.length !== strides.length) {
    return fail("a tensor has a stride for every axis", `${shape.length} sizes, ${strides.length} strides`);
  }
  if (!shape.includes(0)) {
    const last = shape.reduce((at, n, axis) => at + (n - 1) * strides[axis]!, offset);
    if (!(last < storage.size)) {
      fail("a tensor must lie within its storage", `element ${last} of ${storage.size} elements`);
    }
  }
  const made = { storage, offset, shape: [...shape], strides: [...strides] };
  tensors.add(made);
  return made;
}

/** Whether a value is a list of sizes or strides; PyTorch has at most 64 axes. */
function isAxes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 64 && isSizes(value);
}

/**
 * Returns the elements of a tensor in row-major order: a view of the storage if it is contiguous, else a copy.
 *
 * @param tensor The tensor; the bytes of its storage must have been read.
 * @param spend Called with the bytes of a copy before it is made.
 * @param fail Called if a copy would be larger than the storage, as for an expanded tensor.
 */
export function entryOf(
  { storage, offset, shape, strides }: TorchTensor,
  spend: (bytes: number) => void,
  fail: Fail,
): SafetensorsEntry {
  const { dtype } = storage;
  const bytes = storage.bytes!;
  const length = byteSize(dtype, shape);
  const item = byteSize(dtype, []);
  const size = length / item;
  if (isContiguous(shape, strides)) {
    return { dtype, shape, data: bytes.subarray(offset * item, (offset + size) * item) };
  }
  if (size > storage.size) {
    fail("a tensor must not be larger than its storage", `${size} of ${storage.size} elements`);
  }
  spend(length);
  const data = new Uint8Array(length);
  const index = shape.map(() => 0);
  let from = offset;
  for (let at = 0; at < size; at++) {
    for (let i = 0; i < item; i++) data[at * item + i] = bytes[from * item + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype, shape, data };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return shape.includes(0);
    step *= shape[axis]!;
  }
  return true;
}

/** Turns big-endian elements into little-endian ones, in a copy. */
export function littleEndian(bytes: Uint8Array, dtype: SafetensorsDtype): Uint8Array {
  const item = byteSize(dtype, []);
  const swapped = bytes.slice();
  for (let at = 0; at + item <= swapped.length; at += item) swapped.subarray(at, at + item).reverse();
  return swapped;
}
