// Writes model folders: config.json and model.safetensors.
import type { Checkpoint, Weight } from "./types.ts";
import { encodeConfig } from "../config_encode.ts";
import { prefixOf } from "../families.ts";
import { PYTHON_FILE, pythonFile } from "../transformers/python_file.ts";
import { publishedName } from "../parameter_specs.ts";
import type { SafetensorsEntry } from "./safetensors.ts";
import { concatBytes, encodeParts } from "./safetensors_encode.ts";
import { writeFileAtomic } from "../../files/atomic_file.ts";

/** Options of {@linkcode writeCheckpoint}. */
export interface WriteCheckpointOptions {
  /** Dtype of the weights; F16 halves the size and rounds to 11 bits. Default F32. */
  readonly dtype?: "F32" | "F16";
}

/**
 * Writes a model folder: `config.json`, `model.safetensors` and, for a compact model, the Python file with which transformers loads
 * it; each atomically. An unchanged model that was read in F32 from one
 * file is written byte for byte: order, names, metadata and unused tensors. Shards become one file; other dtypes become
 * the requested one. Other files of the folder are not touched.
 *
 * @param folder Path of the folder; created if it is missing.
 * @param checkpoint The model.
 * @param options Dtype of the weights.
 * @throws {Error} If a file cannot be written; one line with its path.
 *
 * @example
 * ```ts ignore
 * import { readCheckpoint } from "./read.ts";
 * import { writeCheckpoint } from "./write.ts";
 *
 * const checkpoint = await readCheckpoint("tests/testdata/base");
 * await writeCheckpoint("copy", checkpoint);
 * ```
 */
export async function writeCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  options: WriteCheckpointOptions = {},
): Promise<void> {
  const config = new TextEncoder().encode(encodeConfig(checkpoint.config));
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    const [why] = (cause as Error).message.split(": ");
    throw new Error(`Cannot write ${folder} as the system refuses: ${why}`, { cause });
  }
  const python = pythonFile(checkpoint.config);
  if (python !== null) await writeFileAtomic(`${folder}/${PYTHON_FILE}`, [new TextEncoder().encode(python)]);
  await writeFileAtomic(`${folder}/model.safetensors`, partsOf(checkpoint, options));
  await writeFileAtomic(`${folder}/config.json`, [config]);
}

/**
 * Encodes the `model.safetensors` of a model.
 *
 * @param checkpoint The model.
 * @param options Dtype of the weights.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "./read.ts";
 * import { encodeCheckpoint } from "./write.ts";
 *
 * const bytes = encodeCheckpoint(await readCheckpoint("tests/testdata/base"));
 * ```
 */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  options: WriteCheckpointOptions = {},
): Uint8Array<ArrayBuffer> {
  return concatBytes(partsOf(checkpoint, options));
}

/** Header and tensors. The original header is kept if it describes the same tensors. */
function partsOf(checkpoint: Checkpoint, { dtype = "F32" }: WriteCheckpointOptions): Uint8Array[] {
  const { metadata, header } = checkpoint.layoutOnDisk;
  const [encoded, ...tensors] = encodeParts(entriesOf(checkpoint, dtype), metadata);
  if (!header || !areSameHeaders(header, encoded!.subarray(8))) return [encoded!, ...tensors];
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return [length, header, ...tensors];
}

/** Tensors by their names in the file, in its order; tensors that it lacked are appended. */
function entriesOf(
  { config, tensors, layoutOnDisk }: Checkpoint,
  dtype: "F32" | "F16",
): Map<string, SafetensorsEntry> {
  const entries = new Map<string, SafetensorsEntry>();
  const written = new Set<string>();
  for (const { name, keys, unused } of layoutOnDisk.tensors) {
    if (unused) entries.set(name, unused);
    const parts = keys.flatMap((key) => tensors.get(key) ?? []);
    if (parts.length === 0 || parts.length !== keys.length) continue;
    entries.set(name, concatEntries(parts, dtype));
    for (const key of keys) written.add(key);
  }
  const used = layoutOnDisk.tensors.filter(({ keys }) => keys.length > 0);
  const withoutPrefix = used.length > 0 && used.every(({ name }) => prefixOf(name) === "");
  for (const [key, weight] of tensors) {
    if (!written.has(key)) {
      entries.set(withoutPrefix ? key : publishedName(config, key), concatEntries([weight], dtype));
    }
  }
  return entries;
}

/** Concatenates tensors along the first axis. */
function concatEntries(parts: readonly Weight[], dtype: "F32" | "F16"): SafetensorsEntry {
  const [{ shape: [, ...rest] }] = parts as [Weight];
  const shape = [parts.reduce((rows, { shape: [n] }) => rows + n!, 0), ...rest];
  const bytes = parts.map(({ data }) => {
    const values = dtype === "F16" ? Float16Array.from(data) : data;
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  });
  return { dtype, shape, data: bytes.length === 1 ? bytes[0]! : concatBytes(bytes) };
}

/** Whether two headers describe the same tensors at the same offsets. */
function areSameHeaders(a: Uint8Array, b: Uint8Array): boolean {
  const decoder = new TextDecoder();
  const [first, second] = [a, b].map((header) => canonical(JSON.parse(decoder.decode(header))));
  return first === second;
}

/** Canonical JSON of a header: keys sorted. */
function canonical(header: Record<string, Record<string, unknown>>): string {
  const sorted = (object: Record<string, unknown>) =>
    Object.entries(object).sort(([a], [b]) => a < b ? -1 : Number(a > b));
  return JSON.stringify(
    sorted(header).map(([key, value]) => [key, sorted(value as Record<string, unknown>)]),
  );
}
