import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseSafetensors } from "../../model/checkpoint/safetensors.ts";
import {
  loadRunState,
  type RunState,
  saveRunState,
  type StateSource,
  type StateTensor,
} from "../../train/run_state.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await new Deno.Command("chmod", { args: ["-R", "u+w", folder] }).output();
    await Deno.remove(folder, { recursive: true });
  }
}

const found = (step: number): RunState<StateTensor> => ({
  step,
  info: { seed: 1, run: { best: null, seconds: 0.1 + 0.2 } },
  tensors: new Map([
    ["weight.a", { shape: [2, 1], data: Float32Array.of(step, 1 / 3) }],
    ["log_alpha.conv.0", { shape: [3], data: Float64Array.of(0.1, Math.PI, 5e-324) }],
    ["empty", { shape: [0], data: new Float64Array(0) }],
  ]),
});
const sourceOf = ({ shape, data }: StateTensor): StateSource => ({
  shape,
  dtype: data instanceof Float64Array ? "F64" : "F32",
  read: () => Promise.resolve(data),
});
const state = (step: number): RunState<StateSource> => {
  const { tensors, ...rest } = found(step);
  return { ...rest, tensors: new Map([...tensors].map(([name, tensor]) => [name, sourceOf(tensor)])) };
};
const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("a state comes back to the bit, f64 as F64, and the last two stay", () =>
  inFolder(async (folder) => {
    assertEquals(await loadRunState(folder), null);
    assertEquals(await loadRunState(`${folder}/none`), null);
    for (const step of [0, 100, 200, 1_000_000_000]) await saveRunState(folder, state(step));
    assertEquals(await namesIn(folder), ["step-00000200", "step-1000000000"]);
    const { path, notes, ...rest } = (await loadRunState(folder))!;
    assertEquals(rest, found(1_000_000_000));
    assertEquals([path, notes], [`${folder}/step-1000000000`, []]);
    const { tensors } = parseSafetensors(await Deno.readFile(`${path}/state.safetensors`));
    assertEquals([...tensors.values()].map(({ dtype }) => dtype), ["F32", "F64", "F64"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${path}/run.json`)).step, 1_000_000_000);
  }));

Deno.test("a state that is broken gives way to the one before it, and is replaced", () =>
  inFolder(async (folder) => {
    for (const step of [1, 2]) await saveRunState(folder, state(step));
    await Deno.mkdir(`${folder}/step-00000003.17.partial`);
    const whole = JSON.parse(await Deno.readTextFile(`${folder}/step-00000002/run.json`));
    const flipped = await Deno.readFile(`${folder}/step-00000002/state.safetensors`);
    flipped[flipped.length - 1]! ^= 1;
    const broken: [file: string, content: Uint8Array | string | null, message: string][] = [
      [
        "state.safetensors",
        (await Deno.readFile(`${folder}/step-00000002/state.safetensors`)).slice(0, -1),
        "2",
      ],
      ["state.safetensors", null, "state.safetensors must exist: it is missing"],
      ["run.json", "{", "run.json must be JSON"],
      ["run.json", "null", "run.json as its format must have version 2: it has version 1"],
      ["run.json", '{"version": 3}', "run.json as its format must have version 2: it has version 3"],
      ["run.json", '{"version": 2}', "run.json must have a step"],
      ["run.json", '{"version": 2, "step": -1}', "run.json must have a step"],
      [
        "run.json",
        '{"version": 2, "step": 9}',
        "run.json must be within the 2 steps of the run: it has step 9",
      ],
      [
        "run.json",
        JSON.stringify({ ...whole, seed: 2 }),
        "must be as they were written: the checksum differs",
      ],
      ["state.safetensors", flipped, "must be as they were written: the checksum differs"],
    ];
    for (const [file, content, message] of broken) {
      await saveRunState(folder, state(2));
      const path = `${folder}/step-00000002/${file}`;
      if (content === null) await Deno.remove(path);
      else {await Deno.writeFile(
          path,
          typeof content === "string" ? new TextEncoder().encode(content) : content,
        );}
      const { step, notes } = (await loadRunState(folder, 2))!;
      assertEquals([step, notes.length], [1, 1]);
      assertStringIncludes(notes[0]!, message);
      assertEquals(await namesIn(folder), ["step-00000001", "step-00000002"]);
    }
    await Deno.remove(`${folder}/step-00000001`, { recursive: true });
    await assertRejects(() => loadRunState(folder), SyntaxError, "Cannot resume from");
  }));

Deno.test("a folder that may not be written gives one line and loses nothing", () =>
  inFolder(async (folder) => {
    await saveRunState(folder, state(1));
    await Deno.writeTextFile(`${folder}/file`, "");
    const error = await assertRejects(
      () => saveRunState(`${folder}/file`, state(2)),
      Error,
      "as the system refuses: ",
    );
    assertEquals(error.message.includes("\n"), false);
    assert(error.message.startsWith(`Cannot write ${folder}/file/step-00000002`), error.message);
    // The superuser may write anywhere.
    if (Deno.uid() !== 0) {
      await Deno.chmod(folder, 0o555);
      await assertRejects(() => saveRunState(folder, state(2)), Error, "Permission denied");
      await Deno.chmod(folder, 0o755);
    }
    assertEquals((await loadRunState(folder))?.step, 1);
  }));

Deno.test({
  name: "a full disk gives one line and loses nothing",
  // Needs a small file system of its own, which the superuser of Linux can make.
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      const mount = (command: string, ...args: string[]) => new Deno.Command(command, { args }).output();
      const { success } = await mount("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder);
      if (!success) return console.warn("no file system of its own here: not tested");
      try {
        await saveRunState(folder, state(1));
        const tensors = new Map([["x", sourceOf({ shape: [200_000], data: new Float32Array(200_000) })]]);
        await assertRejects(
          () => saveRunState(folder, { step: 2, info: {}, tensors }),
          Error,
          "state.safetensors as the system refuses: No space left on device",
        );
        assertEquals(await namesIn(folder), ["step-00000001"]);
        assertEquals((await loadRunState(folder))?.step, 1);
      } finally {
        await mount("umount", folder);
      }
    }),
});
