// Compares small random models with transformers, which saves them in every format and runs them: their logits and hidden
// states must be ours, and it must read what we write. The last line is `N passed, N failed`; the status is 0 if nothing
// failed, 2 if there is no Python with transformers. With `--check` it only makes the environment.
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { parseSafetensors, toFloat32 } from "../../model/checkpoint/safetensors.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { preferVulkan } from "../../cli/backend.ts";
import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { findPython } from "./environment.ts";

/** Relative to each tensor's largest value. */
const BOUND = 2e-5;
const LENGTHS = [2500, 1900];

interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

async function readValues(path: string): Promise<Map<string, Values>> {
  const { tensors } = parseSafetensors(await Deno.readFile(path), path);
  return new Map([...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: toFloat32(entry) }]));
}

/** Largest error, relative to the largest expected value; infinite if shapes differ. */
function errorOf(found: Values, expected: Values): number {
  if (found.shape.join() !== expected.shape.join()) return Infinity;
  let [worst, largest] = [0, 0];
  expected.data.forEach((value, i) => {
    const error = Math.abs(found.data[i]! - value);
    if (!(error <= worst)) worst = error;
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}

/** Logits and hidden states of a model, named as in models.py. */
async function outputsOf(model: SpeechModel, samples: Values): Promise<Map<string, Values>> {
  const { gpu, config } = model;
  const outputs = new Map<string, Tensor>();
  for (const [suffix, lengths] of [[".masked", LENGTHS], ["", null]] as const) {
    gpu.scope(() => {
      const x = gpu.tensor(samples.data, samples.shape);
      const last = config.num_hidden_layers;
      const names = new Map([["encoder_in", 0], ["encoder_out", last]]);
      for (let i = 0; i < last - 1; i++) names.set(`layer.${i}`, i + 1);
      const observe = (name: string, x: Tensor) => {
        if (names.has(name)) outputs.set(`hidden.${names.get(name)}${suffix}`, x);
      };
      const { logits } = model.forward({ samples: x, lengths }, { observe });
      if (logits) outputs.set(`logits${suffix}`, gpu.keep(logits.view()));
    });
  }
  const read = [...outputs].map(async ([name, x]) => {
    const data = await x.read() as Float32Array;
    x.dispose();
    return [name, { shape: x.shape, data }] as const;
  });
  return new Map(await Promise.all(read));
}

/** Compares the model of a folder, and returns its largest error. */
async function compare(gpu: Gpu, folder: string): Promise<number> {
  const expected = await readValues(`${folder}/expected.safetensors`);
  using model = new SpeechModel(gpu, await readCheckpoint(folder));
  const found = await outputsOf(model, expected.get("samples")!);
  expected.delete("samples");
  const errors = [...expected].map(([name, values]) =>
    found.has(name) ? errorOf(found.get(name)!, values) : Infinity
  );
  return Math.max(...errors);
}

/** Runs models.py and returns what it prints. */
async function python(program: string, ...args: string[]): Promise<string> {
  const script = new URL("models.py", import.meta.url).pathname;
  const command = new Deno.Command(program, { args: [script, ...args], stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`models.py ${args[0]} failed`);
  return new TextDecoder().decode(stdout);
}

async function main(): Promise<number> {
  let program: string;
  try {
    program = await findPython();
  } catch (error) {
    console.error(`Cannot test with transformers: ${(error as Error).message}`);
    return 2;
  }
  if (Deno.args.includes("--check")) return 0;
  const folder = await Deno.makeTempDir();
  let [passed, failed] = [0, 0];
  const report = (name: string, error: number, remark = "") => {
    const ok = error <= BOUND && remark === "";
    if (ok) passed++;
    else failed++;
    console.log(
      `${name} ... ${ok ? "ok" : "FAILED"} (${error.toExponential(1)} of the largest value${remark})`,
    );
  };
  try {
    await python(program, "make", folder);
    preferVulkan();
    using gpu = await requestGpu();
    for (const { name } of [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1)) {
      for (const form of [...Deno.readDirSync(`${folder}/${name}`)].map(({ name }) => name).toSorted()) {
        const error = await compare(gpu, `${folder}/${name}/${form}`).catch((error) => {
          console.error(error);
          return Infinity;
        });
        report(`${name}, ${form}`, error);
      }
      const read = await readCheckpoint(`${folder}/${name}/shards`);
      await writeCheckpoint(`${folder}/${name}/written`, read);
    }
    for (const line of (await python(program, "read", folder)).trim().split("\n")) {
      const { name, error, odd } = JSON.parse(line);
      report(`${name}, read by transformers`, error, odd.length > 0 ? `; keys: ${odd}` : "");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
