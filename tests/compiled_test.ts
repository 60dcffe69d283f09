// The default suite compiles every entry point of every shader, with either value of every Boolean constant.
import { assert, assertEquals } from "@std/assert";
import { GEMM_VARIANTS } from "../kernels/gemm/choice.ts";
import { full } from "./full.ts";
import { booleansOf, type Compiled } from "./record_pipelines.ts";

const root = new URL("../", import.meta.url);

/** Kernels whose name is not the path of their shader below its folder. */
const SHADER_OF: Record<string, string> = { select: "index_select" };

/** Path of a kernel's shader below its folder, without the ending: `gemm/tile` of `gemm_tile-32`. */
function shaderOf(kernel: string): string {
  const name = kernel.replace(/_f16$/, "").replace(/^gemm_(\w+).*$/, "gemm/$1");
  return SHADER_OF[name] ?? name;
}

/** Entry points and constants that a shader has and no pipeline used, a line each. `shaders` have their text by path. */
function untested(shaders: ReadonlyMap<string, string>, compiled: readonly Compiled[]): string[] {
  return [...shaders].flatMap(([path, code]) => {
    const stem = path.replace(/\.wgsl$/, "");
    const own = compiled.filter(({ kernel }) => stem.endsWith(`/${shaderOf(kernel)}`));
    const entries = [...code.matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, entry]) => entry!);
    const constants = new Set([
      ...Object.keys(booleansOf(code)),
      ...own.flatMap((one) => Object.keys(one.constants)),
    ]);
    return [
      ...entries.filter((entry) => !own.some((one) => one.entry === entry))
        .map((entry) => `${path}: ${entry} is not compiled`),
      ...[...constants].flatMap((name) =>
        [false, true].filter((value) => !own.some(({ constants }) => constants[name] === value))
          .map((value) => `${path}: ${name} is never ${value}`)
      ),
    ];
  });
}

/** The shaders with entry points, by their path from the root. */
async function readShaders(folder: string, found = new Map<string, string>()): Promise<Map<string, string>> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}${name}`;
    if (isDirectory) await readShaders(`${path}/`, found);
    if (!name.endsWith(".wgsl")) continue;
    const text = await Deno.readTextFile(new URL(path, root));
    if (text.includes("@compute")) found.set(path, text);
  }
  return found;
}

if (full) {
  Deno.test("the default suite compiles every entry point, with every constant on and off", async () => {
    const list = await Deno.makeTempFile();
    try {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["test", "-A", "--no-check", "--parallel", "--lock=dev.lock"],
          ...["--preload=tests/record_pipelines.ts", "tests/kernels", "tests/tensor"],
        ],
        cwd: root,
        env: { ESPALIER_TESTS: "default", ESPALIER_PIPELINES: list, NO_COLOR: "1" },
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stdout).slice(-5000));
      const lines = (await Deno.readTextFile(list)).trim().split("\n");
      const compiled = lines.map((line): Compiled => JSON.parse(line));
      const shaders = new Map([...await readShaders("kernels/"), ...await readShaders("tensor/")]);
      assert(shaders.size > 30);
      assertEquals(untested(shaders, compiled), []);
      const kernels = new Set(compiled.map(({ kernel }) => kernel));
      assertEquals(GEMM_VARIANTS.filter((variant) => !kernels.has(`gemm_${variant}`)), []);
    } finally {
      await Deno.remove(list);
    }
  });
}

Deno.test("an entry point or a constant that no test uses is found", () => {
  const shaders = new Map([[
    "kernels/gemm/tile.wgsl",
    `override TAPS: bool = false;
     @compute @workgroup_size(64)
     fn main() {}
     @compute @workgroup_size(1) fn other() {}`,
  ]]);
  const compiled = [{ kernel: "gemm_tile-32", entry: "main", constants: { TAPS: false, GATE: true } }];
  assertEquals(untested(shaders, compiled), [
    "kernels/gemm/tile.wgsl: other is not compiled",
    "kernels/gemm/tile.wgsl: TAPS is never true",
    "kernels/gemm/tile.wgsl: GATE is never false",
  ]);
  const more = ["other", "main"].map((entry, i) => ({
    kernel: "gemm_tile-64_f16",
    entry,
    constants: { TAPS: i > 0, GATE: i > 0 },
  }));
  assertEquals(untested(shaders, more), []);
});
