// The state of a run on disk: folders such as `step-00000120` with `state.safetensors` and `run.json`.

import { printable, printableName } from "../files/printable.ts";
import { parseSafetensors } from "../model/checkpoint/safetensors.ts";
import { encodeHeader } from "../model/checkpoint/safetensors_encode.ts";
import { fileError, readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { digestOf, digestOfNamed } from "../files/digest.ts";
import { readTogether } from "../tensor/read_together.ts";
import { sizeOf } from "../tensor/shape.ts";
import { checkFormatVersion } from "./format_version.ts";

/** Elements of a state's tensor: f32 from the device or f64 from the host, saved bit for bit. */
export type StateData = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A tensor of a state that was read from disk. */
export interface StateTensor {
  /** Shape. */
  readonly shape: readonly number[];
  /** product(shape) elements. */
  readonly data: StateData;
}

/** A tensor of a state to be written, read from the device when it is its turn. */
export interface StateSource {
  /** Shape. */
  readonly shape: readonly number[];
  /** F32 from the device, F64 from the host. */
  readonly dtype: "F32" | "F64";
  /** Reads its product(shape) elements. */
  read(): Promise<StateData>;
}

/** All that a run needs to resume as if it had never stopped. */
export interface RunState<T> {
  /** Steps done. */
  readonly step: number;
  /** JSON: options, position in the data, best evaluation. */
  readonly info: Readonly<Record<string, unknown>>;
  /** Weights, Adam moments, and parameters on the host, by name. */
  readonly tensors: ReadonlyMap<string, T>;
}

/** A state that was read, and what was wrong with newer ones. */
export interface FoundState extends RunState<StateTensor> {
  /** Its tensors, three times as large as the model; a run that resumes removes them. */
  readonly tensors: Map<string, StateTensor>;
  /** Folder of the state. */
  readonly path: string;
  /** A sentence for each newer state that could not be read. */
  readonly notes: readonly string[];
}

/** Version of the format; other versions are refused. */
const VERSION = 2;
const NAME = /^step-(\d{8,})$/;

/**
 * Saves a state completely or not at all: under a temporary name, flushed to disk, then renamed. Then it removes all but
 * the last `keep` states.
 *
 * @param folder Folder of the states; it is created if it is missing.
 * @param state State to save.
 * @param keep States to keep, this one included; default: 2.
 * @returns Path of the state's folder.
 * @throws {Error} If the disk is full or the folder cannot be written; one line. Earlier states are unharmed.
 *
 * @example
 * ```ts ignore
 * await saveRunState("out/state", { step: 120, info: { seed: 1 }, tensors: new Map() });
 * ```
 */
export async function saveRunState(
  folder: string,
  state: RunState<StateSource>,
  keep = 2,
): Promise<string> {
  const { step, info, tensors } = state;
  const path = `${folder}/step-${String(step).padStart(8, "0")}`;
  const partial = `${path}.${Deno.pid}.partial`;
  try {
    await system("write", partial, () => Deno.mkdir(partial, { recursive: true }));
    const digests: [string, string][] = [];
    await writeFileAtomic(`${partial}/state.safetensors`, partsOf(tensors, digests));
    const checksum = await checksumOf(step, info, digests);
    const run = { version: VERSION, checksum, step, ...info };
    await writeFileAtomic(`${partial}/run.json`, JSON.stringify(run, null, 2) + "\n");
    await flushFolder(partial);
    // A state of this step exists only if it could not be read.
    await Deno.remove(path, { recursive: true }).catch(() => {});
    await system("write", path, () => Deno.rename(partial, path));
  } catch (error) {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
    throw error;
  }
  await flushFolder(folder);
  const older = (await listStates(folder)).filter((other) => other.step < step).slice(Math.max(0, keep - 1));
  for (const other of older) await Deno.remove(other.path, { recursive: true }).catch(() => {});
  return path;
}

/**
 * Reads the newest complete state. Remains of an interrupted write are removed.
 *
 * @param folder Folder of the states.
 * @param most Steps of the whole run: no state has more; default: any number.
 * @returns The state, or null if there is none.
 * @throws {SyntaxError} If there are states and none can be read; one line that names the newest one.
 */
export async function loadRunState(folder: string, most = Infinity): Promise<FoundState | null> {
  for (const name of await namesIn(folder)) {
    if (name.endsWith(".partial")) {
      await Deno.remove(`${folder}/${name}`, { recursive: true }).catch(() => {});
    }
  }
  const notes: string[] = [];
  for (const { path } of await listStates(folder)) {
    try {
      return { ...await readState(path, most), path, notes };
    } catch (error) {
      notes.push((error as Error).message);
    }
  }
  if (notes.length > 0) throw new SyntaxError(notes[0]);
  return null;
}

/** States of a folder, the newest first. */
async function listStates(folder: string): Promise<{ step: number; path: string }[]> {
  const names = await namesIn(folder);
  return names
    .flatMap((name) =>
      NAME.test(name) ? [{ step: Number(NAME.exec(name)![1]), path: `${folder}/${name}` }] : []
    )
    .sort((a, b) => b.step - a.step);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw await system("read", folder, () => Promise.reject(error));
  }
}

async function readState(path: string, most: number): Promise<Omit<FoundState, "path" | "notes">> {
  const fail = (file: string, rule: string, found: string): never => {
    throw new SyntaxError(`Cannot resume from ${printableName(path)} as ${file} ${rule}: ${found}`);
  };
  const files = await Promise.all(
    ["run.json", "state.safetensors"].map((name) => readFileIfExists(`${path}/${name}`)),
  );
  const [run, state] = files.map((bytes, i) =>
    bytes ?? fail(["run.json", "state.safetensors"][i]!, "must exist", "it is missing")
  ) as [Uint8Array, Uint8Array];
  let json: Record<string, unknown> | null = null;
  try {
    json = JSON.parse(new TextDecoder().decode(run));
  } catch (error) {
    fail("run.json", "must be JSON", printable((error as Error).message));
  }
  const { version, checksum, step: found, ...info } = json ?? {};
  checkFormatVersion(`${path}/run.json`, version, VERSION);
  const step = Number.isSafeInteger(found) && (found as number) >= 0 ? found as number : -1;
  if (step < 0) fail("run.json", "must have a step", printable(String(found)));
  if (step > most) fail("run.json", `must be within the ${most} steps of the run`, `it has step ${step}`);
  const { tensors } = parseSafetensors(state, `${path}/state.safetensors`);
  const read = [...tensors].map(([name, { dtype, shape, data }]): [string, StateTensor] => {
    // A view of the file's bytes, or a copy if they are not aligned.
    const aligned = data.byteOffset % (dtype === "F64" ? 8 : 4) === 0;
    const { buffer, byteOffset } = (aligned ? data : data.slice()) as Uint8Array<ArrayBuffer>;
    const size = sizeOf(shape);
    if (dtype === "F32") return [name, { shape, data: new Float32Array(buffer, byteOffset, size) }];
    if (dtype === "F64") return [name, { shape, data: new Float64Array(buffer, byteOffset, size) }];
    return fail("state.safetensors", "must have F32 and F64 tensors", `${printable(name)} is ${dtype}`);
  });
  const digests: [string, string][] = [];
  // In turn: each takes a copy.
  for (const [name, { data }] of tensors) {
    digests.push([name, await digestOf(data as Uint8Array<ArrayBuffer>)]);
  }
  if (checksum !== await checksumOf(step, info, digests)) {
    fail("its files", "must be as they were written", "the checksum differs");
  }
  return { step, info, tensors: new Map(read) };
}

/** Checksum of a state, by the digests of its tensors. */
async function checksumOf(
  step: number,
  info: RunState<unknown>["info"],
  digests: Iterable<readonly [string, string]>,
): Promise<string> {
  return await digestOf(JSON.stringify({ step, ...info }) + await digestOfNamed(digests));
}

/** The bytes of a state's tensors, few of which are on the host at a time; `digests` receives theirs. */
async function* partsOf(
  tensors: ReadonlyMap<string, StateSource>,
  digests: [name: string, digest: string][],
): AsyncGenerator<Uint8Array> {
  const names = tensors.keys();
  yield encodeHeader(tensors, { format: "espalier run", version: String(VERSION) });
  const bytesOf = ({ dtype, shape }: StateSource) => sizeOf(shape) * (dtype === "F64" ? 8 : 4);
  for await (
    const { buffer, byteOffset, byteLength } of readTogether(tensors.values(), bytesOf, (x) => x.read())
  ) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const digest = digestOf(bytes); // while they are written
    yield bytes;
    digests.push([names.next().value!, await digest]);
  }
}

/** Flushes the names in a folder to disk, where the system supports it. */
async function flushFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // Windows cannot open folders; the files themselves are flushed.
  }
}

/** Runs a file operation; its errors have one line. */
async function system<T>(action: "read" | "write", path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw fileError(action, path, cause);
  }
}
