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
  const name = kernel.replace(/\[.*$|_f16$/g, "").replace(/^gemm_([a-z]+).*$/, "gemm/$1");
  return SHADER_OF[name] ?? name;
}

/** Texts that are appended to preprocessed shaders. */
const APPENDED: Record<string, readonly string[]> = {
  "kernels/gemm/tile.wgsl": ["kernels/gemm/_operand.wgsl", "kernels/gemm/_epilogue.wgsl"],
  "kernels/gemm/finish.wgsl": ["kernels/gemm/_epilogue.wgsl"],
};

/** Values of the preprocessor that follow from others. */
const DERIVED = ["UNROLL_BUFFERS"];

/** Boolean values of the preprocessor. The name of a kernel lists those that are true. */
function flagsOf(text: string): string[] {
  const both = ["A", "B"].map((operand) => text.replaceAll("${X}", operand)).join("\n");
  const found = both.matchAll(/\/\/#if !?([A-Z_\d]+)$|\bconst ([A-Z_\d]+) = \$\{\2\};/gm);
  return [...found].map(([, condition, constant]) => (condition ?? constant)!)
    .filter((name) => !DERIVED.includes(name));
}

/** Entry points and constants that a shader has and no pipeline used, a line each. `all` are the WGSL files by path. */
function untested(all: ReadonlyMap<string, string>, compiled: readonly Compiled[]): string[] {
  return [...all].flatMap(([path, code]) => {
    if (!code.includes("@compute")) return [];
    const stem = path.replace(/\.wgsl$/, "");
    const own = compiled.filter(({ kernel }) => stem.endsWith(`/${shaderOf(kernel)}`));
    const entries = [...code.matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, entry]) => entry!);
    const constants = new Set(
      [...own, { constants: booleansOf(code) }].flatMap((one) => Object.keys(one.constants)),
    );
    const flags = new Set(
      flagsOf([path, ...APPENDED[path] ?? []].map((path) => all.get(path) ?? "").join("\n")),
    );
    const isOn = ({ kernel, constants }: Compiled, name: string) =>
      constants[name] ?? new RegExp(`[[,]${name}[\\],]`).test(kernel);
    return [
      ...entries.filter((entry) => !own.some((one) => one.entry === entry))
        .map((entry) => `${path}: ${entry} is not compiled`),
      ...[...constants, ...flags].flatMap((name) =>
        [false, true].filter((value) => !own.some((one) => isOn(one, name) === value))
          .map((value) => `${path}: ${name} is never ${value}`)
      ),
    ];
  });
}

/** All WGSL files by their path from the root. */
async function readShaders(folder: string, found = new Map<string, string>()): Promise<Map<string, string>> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}${name}`;
    if (isDirectory) await readShaders(`${path}/`, found);
    if (name.endsWith(".wgsl")) found.set(path, await Deno.readTextFile(new URL(path, root)));
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
      const kernels = new Set(compiled.map(({ kernel }) => kernel.replace(/\[.*$/, "")));
      assertEquals(GEMM_VARIANTS.filter((variant) => !kernels.has(`gemm_${variant}`)), []);
    } finally {
      await Deno.remove(list);
    }
  });
}

Deno.test("an entry point or a constant that no test uses is found", () => {
  const shaders = new Map([
    [
      "kernels/gemm/tile.wgsl",
      `override WIDE: bool = false;
const TAPS = \${TAPS};
@compute @workgroup_size(64)
fn main() {}
@compute @workgroup_size(1) fn other() {}`,
    ],
    ["kernels/gemm/_operand.wgsl", "//#if !${X}_VEC4\n//#end"],
  ]);
  const compiled = [{ kernel: "gemm_tile-32[A_VEC4,GATE]", entry: "main", constants: { WIDE: true } }];
  assertEquals(untested(shaders, compiled), [
    "kernels/gemm/tile.wgsl: other is not compiled",
    "kernels/gemm/tile.wgsl: WIDE is never false",
    "kernels/gemm/tile.wgsl: TAPS is never true",
    "kernels/gemm/tile.wgsl: A_VEC4 is never false",
    "kernels/gemm/tile.wgsl: B_VEC4 is never true",
  ]);
  const more = { kernel: "gemm_tile-64[TAPS,B_VEC4]_f16", entry: "other", constants: { WIDE: false } };
  assertEquals(untested(shaders, [...compiled, more]), []);
});
