// Compares small random models with transformers, which saves them in every format and runs them: their logits and hidden
// states must be ours, and it must read what we write. The last line is `N passed, N failed`; the status is 0 if nothing
// failed, 2 if there is no Python with transformers. With `--check` it only makes the environment.
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { preferVulkan } from "../../cli/backend.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { checkOnnx } from "./check_onnx.ts";
import { compareCompact } from "./compact.ts";
import { BOUND, errorOfModel } from "./compare.ts";
import { comparePipelines } from "./pipeline.ts";
import { findPython } from "./environment.ts";

/** Runs a program of this folder and returns what it prints. */
async function python(program: string, file: string, ...args: string[]): Promise<string> {
  const script = new URL(file, import.meta.url).pathname;
  const command = new Deno.Command(program, { args: [script, ...args], stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`${file} ${args[0]} failed`);
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
    await python(program, "models.py", "make", `${folder}/dense`);
    preferVulkan();
    using gpu = await requestGpu();
    for (
      const { name } of [...Deno.readDirSync(`${folder}/dense`)].toSorted((a, b) => a.name < b.name ? -1 : 1)
    ) {
      for (
        const form of [...Deno.readDirSync(`${folder}/dense/${name}`)].map(({ name }) => name).toSorted()
      ) {
        const error = await errorOfModel(gpu, `${folder}/dense/${name}/${form}`).catch((error) => {
          console.error(error);
          return Infinity;
        });
        report(`${name}, ${form}`, error);
      }
      const read = await readCheckpoint(`${folder}/dense/${name}/shards`);
      await writeCheckpoint(`${folder}/dense/${name}/written`, read);
    }
    for (const line of (await python(program, "models.py", "read", `${folder}/dense`)).trim().split("\n")) {
      const { name, error, odd } = JSON.parse(line);
      report(`${name}, read by transformers`, error, odd.length > 0 ? `; keys: ${odd}` : "");
    }
    await python(program, "models.py", "languages", `${folder}/languages`);
    for (const { name } of Deno.readDirSync(`${folder}/languages`)) {
      report(
        `mms in French, ${name}`,
        await errorOfModel(gpu, `${folder}/languages/${name}`, { language: "fra" }),
      );
    }
    await Deno.mkdir(`${folder}/compact`);
    await compareCompact(gpu, {
      from: `${folder}/dense`,
      to: `${folder}/compact`,
      python: (path) => python(program, "compact.py", path),
      report,
    });
    await Deno.mkdir(`${folder}/onnx`);
    for (
      const [name, refused] of await checkOnnx(
        `${folder}/onnx`,
        (path) => python(program, "check_onnx.py", path),
      )
    ) {
      report(name, 0, refused && `; ${refused}`);
    }
    await Deno.mkdir(`${folder}/pipelines`);
    const run = (...args: string[]) => python(program, "pipeline.py", ...args);
    for (const [name, wrong] of await comparePipelines(gpu, `${folder}/pipelines`, run)) {
      report(name, 0, wrong);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
