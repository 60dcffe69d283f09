// The layout of kernels/: an operation is a file there, with five parts: shader, function, oracle, test, export. What operations
// share lies in kernels/internal/ and kernels/gemm/. This fails if a part is missing, or a shader serves nothing.
import { assertEquals } from "@std/assert";

const GEMM_OPS = ["attention", "conv1d", "linear", "matmul", "positional_conv"];

/** Shared shaders, by their path below `kernels` without the ending, with the operations that they serve. */
const SERVES: Record<string, readonly string[]> = {
  "gemm/finish": GEMM_OPS,
  "gemm/pack": GEMM_OPS,
  "gemm/texture": GEMM_OPS,
  "gemm/tile": GEMM_OPS,
  "internal/activation": ["conv1d", "linear", "positional_conv"],
  "internal/ctc_pullback": ["ctc"],
  "internal/reduce_frames": ["clip_grad_norm", "group_norm", "layer_norm", "mean_frames"],
};

/** Operations that compute nothing. */
const WITHOUT_SHADER = ["reshape"];

/** Operations that are another one for several inputs at once: they have its shaders and oracle, and no export. */
const FUSED: Record<string, string> = { qkv_linear: "linear" };

/** Text by path from the root: of `mod.ts` and of all files below `kernels`, `tests/kernels` and `tests/oracle`. */
type Tree = ReadonlyMap<string, string>;

/** Values that `mod.ts` exports, by the stem of their file in `kernels`. */
function exportsOf(mod: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, names, stem] of mod.matchAll(/^export\s+\{([^}]*)\}\s*from\s*"\.\/kernels\/(\w+)\.ts"/gm)) {
    const values = names!.split(",").map((name) => name.trim()).filter((name) => !/^$|^type /.test(name));
    if (values.length > 0) found.set(stem!, new Set([...found.get(stem!) ?? [], ...values]));
  }
  return found;
}

/** What is missing, one line each. */
function missingParts(tree: Tree): string[] {
  const missing: string[] = [];
  const stems = (pattern: RegExp) => [...tree.keys()].flatMap((path) => pattern.exec(path)?.[1] ?? []);
  const shaders = stems(/^kernels\/(\w+)\.wgsl$/);
  const exported = exportsOf(tree.get("mod.ts") ?? "");
  const served = new Set(Object.values(SERVES).flat());
  const ops = new Set([...shaders, ...stems(/^kernels\/(\w+)\.ts$/), ...exported.keys(), ...served]);
  for (const op of [...ops].toSorted()) {
    const name = op.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const test = tree.get(`tests/kernels/${op}_test.ts`) ?? "";
    const base = FUSED[op] ?? op;
    const parts: Record<string, boolean | undefined> = {
      "shader": shaders.includes(op) || served.has(base) || WITHOUT_SHADER.includes(op),
      [`function ${name}`]: tree.get(`kernels/${op}.ts`)?.includes(`export function ${name}(`),
      "oracle": tree.has(`tests/oracle/${base}.ts`),
      "test of function and oracle": test.includes(`kernels/${op}.ts"`) &&
        test.includes(`oracle/${base}.ts"`),
      "export in mod.ts": op in FUSED || exported.get(op)?.has(name),
    };
    for (const [part, present] of Object.entries(parts)) if (!present) missing.push(`${op}: ${part}`);
  }
  return [...missing, ...lostShaders(tree)];
}

/** Shared shaders that `SERVES` does not name or that are missing, and shaders that no module imports. */
function lostShaders(tree: Tree): string[] {
  const shaders = [...tree.keys()].flatMap((path) => /^kernels\/(.+)\.wgsl$/.exec(path)?.[1] ?? []);
  const shared = shaders.filter((path) => /\/[^_]/.test(path));
  const modules = [...tree].filter(([path]) => path.startsWith("kernels/") && path.endsWith(".ts"));
  const imported = new Set(modules.flatMap(([path, text]) => {
    return [...text.matchAll(/from "(.+\.wgsl)"/g)].map((match) => new URL(match[1]!, `x:/${path}`).pathname);
  }));
  return [
    ...shared.filter((path) => !(path in SERVES)).map((path) => `${path}: an entry in SERVES`),
    ...Object.keys(SERVES).filter((path) => !shaders.includes(path)).map((path) => `${path}: shader`),
    ...shaders.filter((path) => !imported.has(`/kernels/${path}.wgsl`)).map((path) => `${path}: import`),
  ];
}

function readTree(): Tree {
  const root = new URL("../../", import.meta.url);
  const tree = new Map([["mod.ts", Deno.readTextFileSync(new URL("mod.ts", root))]]);
  for (
    const folder of ["kernels/", "kernels/gemm/", "kernels/internal/", "tests/kernels/", "tests/oracle/"]
  ) {
    for (const { name, isFile } of Deno.readDirSync(new URL(folder, root))) {
      if (!isFile || !/\.(ts|wgsl)$/.test(name)) continue;
      tree.set(folder + name, Deno.readTextFileSync(new URL(folder + name, root)));
    }
  }
  return tree;
}

Deno.test("every operation has shader, function, oracle, test and export, every shader a purpose", () => {
  assertEquals(missingParts(readTree()), []);
});

Deno.test("an operation that lacks a part is found", () => {
  const whole = new Map(readTree());
  const set = (path: string, text: string) => whole.set(path, text);
  set("kernels/two_words.wgsl", "");
  set("kernels/two_words.ts", `import source from "./two_words.wgsl"; export function twoWords(`);
  set("tests/oracle/two_words.ts", "");
  set("tests/kernels/two_words_test.ts", `"../../kernels/two_words.ts" "../oracle/two_words.ts"`);
  const statement = `export {\n  twoWords,\n  type TwoWordsOptions,\n} from "./kernels/two_words.ts";`;
  set("mod.ts", `${whole.get("mod.ts")}\n${statement}`);
  assertEquals(missingParts(whole), []);

  const without = (path: string) => missingParts(new Map([...whole].filter(([name]) => name !== path)));
  assertEquals(without("kernels/two_words.wgsl"), ["two_words: shader"]);
  assertEquals(without("kernels/two_words.ts"), ["two_words: function twoWords", "two_words: import"]);
  assertEquals(without("tests/oracle/two_words.ts"), ["two_words: oracle"]);
  assertEquals(without("tests/kernels/two_words_test.ts"), ["two_words: test of function and oracle"]);
  assertEquals(without("kernels/gemm/pack.wgsl"), ["gemm/pack: shader"]);
  const changed = (path: string, text: string) => missingParts(new Map([...whole, [path, text]]));
  assertEquals(changed("kernels/internal/other.wgsl", ""), [
    "internal/other: an entry in SERVES",
    "internal/other: import",
  ]);
  assertEquals(changed("mod.ts", whole.get("mod.ts")!.replace("  twoWords,\n", "")), [
    "two_words: export in mod.ts",
  ]);
});
