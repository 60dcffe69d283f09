// Reads files of torch.save without running code: the zip format (PyTorch 1.6 and later) and the legacy format.
// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py

import { printable } from "../../files/printable.ts";
import { Inert, readPickle } from "./pickle.ts";
import { byteSize, view } from "./safetensors_format.ts";
import type { SafetensorsEntry } from "./safetensors.ts";
import {
  entryOf,
  isTorchTensor,
  littleEndian,
  storageOf,
  torchCall,
  type TorchStorage,
} from "./torch_tensors.ts";
import { type Fail, isZip, zipEntries } from "./zip_directory.ts";

/** Content of a file of torch.save. */
export interface TorchFile {
  /** Tensors of the state_dict by name. Contiguous ones are views of the file. */
  readonly tensors: Map<string, SafetensorsEntry>;
  /** Values stored next to the state_dict, such as the config of a DPHuBERT model. */
  readonly beside: ReadonlyMap<string, unknown>;
}

/** First value of the legacy format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Bytes of all strided tensors, which are copied, per byte of the file; shared storages may be copied more than once. */
const MAX_COPIES = 4;

/** Keys of the state_dict in a checkpoint. */
const STATE_KEYS = ["state_dict", "model_state_dict", "model"];

/** Whether a file has the signature of torch.save. */
export function isTorchFile(bytes: Uint8Array): boolean {
  return isZip(bytes) || (bytes.length > 2 && bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5);
}

/**
 * Parses a file of torch.save. No code is run: a restricted interpreter of its pickle builds only tensors and dictionaries. Other
 * objects are inert; if a tensor or the state_dict depends on one, the error names it.
 *
 * @param bytes Content of the file.
 * @param name File name for error messages.
 * @throws {SyntaxError} If it is invalid; one line.
 *
 * @example
 * ```ts ignore
 * import { parseTorchFile } from "./torch_file.ts";
 *
 * const { tensors } = parseTorchFile(await Deno.readFile("pytorch_model.bin"), "pytorch_model.bin");
 * tensors.get("lm_head.weight")?.shape;
 * ```
 */
export function parseTorchFile(bytes: Uint8Array, name: string): TorchFile {
  const fail: Fail = (rule, found) => {
    throw new SyntaxError(`Cannot read ${printable(name)} as a PyTorch file as ${rule}: ${found}`);
  };
  if (!isTorchFile(bytes)) fail("it must be a zip file or a pickle", "it is neither");
  const content = isZip(bytes) ? readZip(bytes, fail) : readLegacy(bytes, fail);
  let copied = 0;
  const spend = (length: number) => {
    copied += length;
    if (copied <= MAX_COPIES * bytes.length) return;
    fail(`strided tensors have at most ${MAX_COPIES} times the bytes of the file`, "these have more");
  };
  return stateOf(content, spend, fail);
}

/** The zip format: STEM/data.pkl, and the bytes of each storage in STEM/data/KEY. */
function readZip(bytes: Uint8Array, fail: Fail): unknown {
  const entries = zipEntries(bytes, fail);
  const path = [...entries.keys()].find((path) => /^[^/]+\/data\.pkl$/.test(path));
  if (path === undefined) return fail("the archive must have data.pkl", "there is none");
  const stem = path.slice(0, -"data.pkl".length);
  const order = entries.get(`${stem}byteorder`);
  const big = order !== undefined && new TextDecoder().decode(order.subarray(0, 16)).trim() === "big";
  const storages = new Map<string, TorchStorage>();
  const { value } = readPickle(entries.get(path)!, 0, {
    persistent: (id) => storageOf(id, storages, fail),
    call: (name, args) => torchCall(name, args, fail),
    fail,
  });
  for (const [key, storage] of storages) {
    const data = entries.get(`${stem}data/${key}`);
    if (!data) return fail("every storage must be in the archive", `data/${printable(key)} is missing`);
    fill(storage, data, big, () => `data/${printable(key)}`, fail);
  }
  return value;
}

/** The legacy format: five pickles (magic, protocol, system, object, keys of storages), then size and bytes of each storage. */
function readLegacy(bytes: Uint8Array, fail: Fail): unknown {
  const storages = new Map<string, TorchStorage>();
  let at = 0;
  const next = (): unknown => {
    const { value, end } = readPickle(bytes, at, {
      persistent: (id) => storageOf(id, storages, fail),
      call: (name, args) => torchCall(name, args, fail),
      fail,
    });
    at = end;
    return value;
  };
  if (next() !== MAGIC) fail("a legacy PyTorch file must start with its magic number", "it does not");
  if (next() !== 1001) fail("the protocol must be 1001", "it is another one");
  const system = next();
  const big = system instanceof Map && system.get("little_endian") === false;
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) return fail("a list of storages follows the object", "it is something else");
  const data = view(bytes);
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) return fail("the file holds the storages that it names", "it holds another one");
    const name = printable(key);
    if (at + 8 > bytes.length) return fail("every storage must be in the file", `${name} is cut off`);
    const size = Number(data.getBigInt64(at, !big));
    const length = byteSize(storage.dtype, [size]);
    if (size !== storage.size || at + 8 + length > bytes.length) {
      return fail("every storage must be in the file", `${name} is cut off`);
    }
    fill(storage, bytes.subarray(at + 8, at + 8 + length), big, () => name, fail);
    at += 8 + length;
  }
  for (const [key, { bytes }] of storages) {
    if (!bytes) fail("every storage must be in the file", `${printable(key)} is missing`);
  }
  return value;
}

function fill(storage: TorchStorage, bytes: Uint8Array, big: boolean, name: () => string, fail: Fail): void {
  const length = byteSize(storage.dtype, [storage.size]);
  if (bytes.length < length) {
    fail("a storage must have the bytes of its elements", `${name()} has ${bytes.length} of ${length}`);
  }
  storage.bytes = big ? littleEndian(bytes.subarray(0, length), storage.dtype) : bytes.subarray(0, length);
}

/** Finds the state_dict: the object itself, or its entry under a usual key. */
function stateOf(content: unknown, spend: (bytes: number) => void, fail: Fail): TorchFile {
  if (content instanceof Inert) {
    return fail("it must hold a dictionary of tensors", `it is a ${printable(content.of)}`);
  }
  if (!(content instanceof Map)) {
    return fail("it must hold a dictionary of tensors", "it holds something else");
  }
  const key = STATE_KEYS.find((key) => content.has(key));
  const state: unknown = key === undefined ? content : content.get(key);
  if (!(state instanceof Map)) {
    return fail(
      `${key} must be a dictionary of tensors`,
      state instanceof Inert ? printable(state.of) : "it is not",
    );
  }
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, value] of state) {
    if (typeof name !== "string") continue;
    if (isTorchTensor(value)) tensors.set(name, entryOf(value, spend, fail));
    else if (value instanceof Inert && /tensor|parameter|storage/i.test(value.of)) {
      fail(
        "tensors must be built by known functions",
        `${printable(name)} is made by ${printable(value.of)}`,
      );
    }
  }
  if (tensors.size === 0) fail("it must hold a dictionary of tensors", "it has no tensor");
  const beside = new Map([...content].filter(([name]) => typeof name === "string" && name !== key));
  return { tensors, beside: key === undefined ? new Map() : beside as Map<string, unknown> };
}
