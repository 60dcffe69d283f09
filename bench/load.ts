/**
 * Measures how long a model of base size takes to load from PyTorch's files and from safetensors, and the memory of it. PyTorch
 * itself writes the files.
 *
 * @module
 */

import { UserError } from "../cli/user_error.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { parseConfig } from "../model/config.ts";
import { randomCheckpoint } from "../model/random.ts";
import { BASE } from "./compact_cases.ts";
import type { TitledTable } from "./record.ts";
import { median } from "./statistics.ts";

/** Writes the tensors of model.safetensors with torch.save, in both formats. */
const CONVERT = `
import json, os, torch
os.chdir(os.environ["FOLDER"])
with open("model.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    data = bytearray(file.read())
header.pop("__metadata__", None)
state = {
    name: torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start).reshape(entry["shape"]).clone()
    for name, entry in header.items()
    for start, end in [entry["data_offsets"]]
}
torch.save(state, "zip.bin")
torch.save(state, "legacy.bin", _use_new_zipfile_serialization=False)
`;

/** Median cost of loading a file. */
export interface LoadCost {
  readonly file: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Seconds from the path to checked weights on the host. */
  readonly seconds: number;
  /** Peak memory of the process in bytes, above that of a process that loads nothing. */
  readonly memory: number;
}

/**
 * Loads each file in its own process, in alternation.
 *
 * @param rounds Loads of each file.
 * @param progress Receives a line about what is measured.
 * @throws {UserError} There is no Python with PyTorch.
 */
export async function measureLoad(rounds: number, progress: (line: string) => void): Promise<LoadCost[]> {
  const folder = await Deno.makeTempDir();
  try {
    progress("writing the files");
    await writeCheckpoint(folder, randomCheckpoint(parseConfig(await Deno.readTextFile(BASE)), 0, "ctc"));
    await convert(folder);
    const files = ["model.safetensors", "zip.bin", "legacy.bin"];
    const samples = files.map(() => ({ seconds: [] as number[], memory: [] as number[] }));
    const idle: number[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      idle.push((await loadOnce(null)).memory);
      for (const [i, file] of files.entries()) {
        const { seconds, memory } = await loadOnce(`${folder}/${file}`);
        samples[i]!.seconds.push(seconds);
        samples[i]!.memory.push(memory);
      }
    }
    return await Promise.all(files.map(async (file, i) => ({
      file,
      bytes: (await Deno.stat(`${folder}/${file}`)).size,
      seconds: median(samples[i]!.seconds),
      memory: median(samples[i]!.memory) - median(idle),
    })));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs PyTorch, of the first Python that has it. */
async function convert(folder: string): Promise<void> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const command = new Deno.Command(python, { args: ["-c", CONVERT], env: { FOLDER: folder } });
    if (await command.output().then(({ success }) => success, () => false)) return;
  }
  throw new UserError("Cannot measure as a Python with PyTorch is needed: install python3-torch");
}

/** Loads a file in a new process. */
async function loadOnce(path: string | null): Promise<{ seconds: number; memory: number }> {
  const script = new URL("load_once.ts", import.meta.url).href;
  const args = ["run", "--no-check", "--allow-read", "--allow-sys", script, ...path === null ? [] : [path]];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

/** The costs as a table. */
export function loadTables(costs: readonly LoadCost[]): TitledTable[] {
  const [safetensors] = costs as [LoadCost];
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [{
    title: "wav2vec2-base with random weights, each file in a process of its own",
    head: ["file", "size", "time", "ratio", "peak memory", "ratio"],
    rows: costs.map(({ file, bytes, seconds, memory }) => [
      file,
      megabytes(bytes),
      `${seconds.toFixed(2)} s`,
      (seconds / safetensors.seconds).toFixed(2),
      megabytes(memory),
      (memory / safetensors.memory).toFixed(2),
    ]),
  }];
}
