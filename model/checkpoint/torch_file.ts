// Reads files of torch.save without running code: the zip format (PyTorch 1.6 and later) and the legacy format.
// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py

import { printable } from "../../files/printable.ts";
import { type ByteRange, type ByteSource, memorySource } from "../../files/byte_source.ts";
import { Inert, readPickle } from "./pickle.ts";
import { view } from "./safetensors_format.ts";
import type { SafetensorsEntry } from "./safetensors.ts";
import {
  entryOf,
  isTorchTensor,
  littleEndian,
  storageOf,
  torchCall,
  type TorchStorage,
  type TorchTensor,
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

/** Bytes of a legacy file that are read first; its pickles lie before the storages. */
const HEAD = 2 ** 20;

/** Whether a file has the signature of torch.save. @param file Content of the file, or the file. */
export function isTorchFile(file: Uint8Array | ByteSource): boolean {
  const source = file instanceof Uint8Array ? memorySource(file) : file;
  if (isZip(source)) return true;
  const [first, protocol = 0] = source.read(0, Math.min(2, source.length));
  return source.length > 2 && first === 0x80 && protocol >= 2 && protocol <= 5;
}

/**
 * Parses a file of torch.save. No code is run: a restricted interpreter of its pickle builds only tensors and dictionaries. Other
 * objects are inert; if a tensor or the state_dict depends on one, the error names it.
 *
 * @param file Content of the file; or the file, of which the storages of the state_dict are read.
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
export function parseTorchFile(file: Uint8Array | ByteSource, name: string): TorchFile {
  const source = file instanceof Uint8Array ? memorySource(file) : file;
  const fail: Fail = (rule, found) => {
    throw new SyntaxError(`Cannot read ${printable(name)} as a PyTorch file as ${rule}: ${found}`);
  };
  if (!isTorchFile(source)) fail("it must be a zip file or a pickle", "it is neither");
  const { value, big } = isZip(source) ? readZip(source, fail) : readLegacy(source, fail);
  const { tensors, beside } = stateOf(value, fail);
  readStorages(source, [...tensors.values()], big);
  let copied = 0;
  const spend = (length: number) => {
    copied += length;
    if (copied <= MAX_COPIES * source.length) return;
    fail(`strided tensors have at most ${MAX_COPIES} times the bytes of the file`, "these have more");
  };
  const entries = [...tensors].map(([name, tensor]) => [name, entryOf(tensor, spend, fail)] as const);
  return { tensors: new Map(entries), beside };
}

/** What a file holds, and whether its bytes are big-endian. */
interface Content {
  readonly value: unknown;
  readonly big: boolean;
}

/** The zip format: STEM/data.pkl, and the bytes of each storage in STEM/data/KEY. */
function readZip(file: ByteSource, fail: Fail): Content {
  const entries = zipEntries(file, fail);
  const read = ({ start, end }: ByteRange) => file.read(start, end);
  const path = [...entries.keys()].find((path) => /^[^/]+\/data\.pkl$/.test(path));
  if (path === undefined) return fail("the archive must have data.pkl", "there is none");
  const stem = path.slice(0, -"data.pkl".length);
  const order = entries.get(`${stem}byteorder`);
  const big = order !== undefined && order.end - order.start < 16 &&
    new TextDecoder().decode(read(order)).trim() === "big";
  const storages = new Map<string, TorchStorage>();
  const { value } = readPickle(read(entries.get(path)!), 0, {
    persistent: (id) => storageOf(id, storages, fail),
    call: (name, args) => torchCall(name, args, fail),
    fail,
  });
  for (const [key, storage] of storages) {
    const name = `data/${printable(key)}`;
    const place = entries.get(`${stem}data/${key}`);
    if (!place) return fail("every storage must be in the archive", `${name} is missing`);
    const has = place.end - place.start;
    if (has < storage.length) {
      fail("a storage must have the bytes of its elements", `${name} has ${has} of ${storage.length}`);
    }
    storage.start = place.start;
  }
  return { value, big };
}

/** The legacy format: five pickles (magic, protocol, system, object, keys of storages), then size and bytes of each storage. */
function readLegacy(file: ByteSource, fail: Fail): Content {
  const storages = new Map<string, TorchStorage>();
  const { value, keys, big, end } = legacyPickles(file, storages, fail);
  let at = end;
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) return fail("the file holds the storages that it names", "it holds another one");
    const cutOff = (): never =>
      fail("every storage must be in the file", `${printable(key as string)} is cut off`);
    if (at + 8 > file.length) return cutOff();
    const size = Number(view(file.read(at, at + 8)).getBigInt64(0, !big));
    if (size !== storage.size || at + 8 + storage.length > file.length) return cutOff();
    storage.start = at + 8;
    at += 8 + storage.length;
  }
  for (const [key, { start }] of storages) {
    if (start === null) fail("every storage must be in the file", `${printable(key)} is missing`);
  }
  return { value, big };
}

/** What the pickles of a legacy file hold. */
interface LegacyPickles extends Content {
  /** Keys of the storages in the order of the file. */
  readonly keys: readonly unknown[];
  /** Offset after the pickles. */
  readonly end: number;
}

/** Reads the pickles of a legacy file, in a longer part of it if they do not end in the first. */
function legacyPickles(
  file: ByteSource,
  storages: Map<string, TorchStorage>,
  fail: Fail,
  length = Math.min(HEAD, file.length),
): LegacyPickles {
  const bytes = file.read(0, length);
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
  try {
    if (next() !== MAGIC) fail("a legacy PyTorch file must start with its magic number", "it does not");
    if (next() !== 1001) fail("the protocol must be 1001", "it is another one");
    const system = next();
    const value = next();
    const keys = next();
    if (!Array.isArray(keys)) return fail("a list of storages follows the object", "it is something else");
    return { value, keys, big: system instanceof Map && system.get("little_endian") === false, end: at };
  } catch (error) {
    if (length === file.length) throw error;
    storages.clear();
    return legacyPickles(file, storages, fail, Math.min(16 * length, file.length));
  }
}

/** Reads the storages of tensors, each once. */
function readStorages(file: ByteSource, tensors: readonly TorchTensor[], big: boolean): void {
  const storages = [...new Set(tensors.map(({ storage }) => storage))];
  const ranges = storages.map(({ start, length }) => ({ start: start!, end: start! + length }));
  file.readAll(ranges).forEach((bytes, i) => {
    const storage = storages[i]!;
    storage.bytes = big ? littleEndian(bytes, storage.dtype) : bytes;
  });
}

/** Finds the state_dict: the object itself, or its entry under a usual key. */
function stateOf(
  content: unknown,
  fail: Fail,
): { tensors: Map<string, TorchTensor>; beside: ReadonlyMap<string, unknown> } {
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
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of state) {
    if (typeof name !== "string") continue;
    if (isTorchTensor(value)) tensors.set(name, value);
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
