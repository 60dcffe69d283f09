import type { Checkpoint, Weight } from "./types.ts";
import { prefixOf } from "./names.ts";
import { encodeConfig } from "../config_encode.ts";
import { publishedName } from "../parameter_specs.ts";
import type { SafetensorsEntry } from "./safetensors.ts";
import { concatenated, encodeParts } from "./safetensors_encode.ts";
import { writeFileAtomic } from "./atomic_file.ts";

/** How {@linkcode writeCheckpoint} writes. */
export interface WriteCheckpointOptions {
  /** Format of the weights; F16 takes half the bytes and rounds to 11 bits. F32 unless given. */
  readonly dtype?: "F32" | "F16";
}

/**
 * Writes a model folder: `config.json` and `model.safetensors`, each whole or not at all. What was read in F32 from one
 * file and not changed is written byte for byte as it was: order, names, metadata, tensors left aside. Shards become one
 * file, other dtypes the one that is asked for. Other files of the folder stay as they are.
 *
 * @param folder Path of the folder, which is made where it is missing.
 * @param checkpoint The model.
 * @param options Format of the weights.
 * @throws {Error} If a file cannot be written; one line that names it.
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
  await writeFileAtomic(`${folder}/model.safetensors`, partsOf(checkpoint, options));
  await writeFileAtomic(`${folder}/config.json`, [config]);
}

/**
 * The bytes of a model's `model.safetensors`.
 *
 * @param checkpoint The model.
 * @param options Format of the weights.
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
  return concatenated(partsOf(checkpoint, options));
}

/** Header and tensors; the header as it was read where it says the same. */
function partsOf(checkpoint: Checkpoint, { dtype = "F32" }: WriteCheckpointOptions): Uint8Array[] {
  const { metadata, header } = checkpoint.layoutOnDisk;
  const [own, ...tensors] = encodeParts(entriesOf(checkpoint, dtype), metadata);
  if (!header || !saySame(header, own!.subarray(8))) return [own!, ...tensors];
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return [length, header, ...tensors];
}

/** Tensors by the names of the file, in its order; those that it did not have come last. */
function entriesOf(
  { config, tensors, layoutOnDisk }: Checkpoint,
  dtype: "F32" | "F16",
): Map<string, SafetensorsEntry> {
  const entries = new Map<string, SafetensorsEntry>();
  const written = new Set<string>();
  for (const { name, keys, aside } of layoutOnDisk.tensors) {
    if (aside) entries.set(name, aside);
    const parts = keys.flatMap((key) => tensors.get(key) ?? []);
    if (parts.length === 0 || parts.length !== keys.length) continue;
    entries.set(name, joined(parts, dtype));
    for (const key of keys) written.add(key);
  }
  const own = layoutOnDisk.tensors.filter(({ keys }) => keys.length > 0);
  const bare = own.length > 0 && own.every(({ name }) => prefixOf(name) === "");
  for (const [key, weight] of tensors) {
    if (!written.has(key)) entries.set(bare ? key : publishedName(config, key), joined([weight], dtype));
  }
  return entries;
}

/** Tensors one after the other along the first axis. */
function joined(parts: readonly Weight[], dtype: "F32" | "F16"): SafetensorsEntry {
  const [{ shape: [, ...rest] }] = parts as [Weight];
  const shape = [parts.reduce((rows, { shape: [n] }) => rows + n!, 0), ...rest];
  const bytes = parts.map(({ data }) => {
    const numbers = dtype === "F16" ? Float16Array.from(data) : data;
    return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  });
  return { dtype, shape, data: bytes.length === 1 ? bytes[0]! : concatenated(bytes) };
}

/** Whether two headers name the same tensors at the same places. */
function saySame(a: Uint8Array, b: Uint8Array): boolean {
  const decoder = new TextDecoder();
  const [one, other] = [a, b].map((header) => normal(JSON.parse(decoder.decode(header))));
  return one === other;
}

/** One spelling of a header, whatever the order of its keys. */
function normal(header: Record<string, Record<string, unknown>>): string {
  const sorted = (object: Record<string, unknown>) =>
    Object.entries(object).sort(([a], [b]) => a < b ? -1 : Number(a > b));
  return JSON.stringify(
    sorted(header).map(([key, value]) => [key, sorted(value as Record<string, unknown>)]),
  );
}
