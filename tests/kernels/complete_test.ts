// An op is five things: shader, function, oracle, test, export. This fails if one is missing.
import { assertEquals } from "@std/assert";

const PRODUCTS = ["attention", "conv1d", "linear", "matmul", "positional_conv"];

/** Shaders that are no op of their own, with the ops that they serve. */
const SERVES: Record<string, readonly string[]> = {
  activation: ["conv1d", "linear", "positional_conv"],
  ctc_pullback: ["ctc"],
  gemm_finish: PRODUCTS,
  gemm_pack: PRODUCTS,
  gemm_texture: PRODUCTS,
  gemm_tile: PRODUCTS,
  reduce_frames: ["group_norm", "mean_frames"],
};

/** Ops that compute nothing. */
const WITHOUT_SHADER = ["reshape"];

/** Files of `kernels` that export something and are no op. */
const NO_OPS = ["gemm_tuning"];

/** Text by path from the root: of `mod.ts` and of all files below `kernels`, `tests/kernels` and `tests/oracle`. */
type Tree = ReadonlyMap<string, string>;

/** Values that `mod.ts` exports, by the stem of their file in `kernels`; `*` for all. */
function exportsOf(mod: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const statement = /^export\s+(\*|\{[^}]*\})\s*from\s*"\.\/kernels\/(\w+)\.ts"/gm;
  for (const [, names, stem] of mod.matchAll(statement)) {
    const values = names!.replace(/[{}]/g, "").split(",").map((name) => name.trim())
      .filter((name) => name && !name.startsWith("type "));
    if (values.length > 0 && !NO_OPS.includes(stem!)) {
      found.set(stem!, new Set([...found.get(stem!) ?? [], ...values]));
    }
  }
  return found;
}

/** What is missing, one line each. */
function missingParts(tree: Tree): string[] {
  const missing: string[] = [];
  const shaders = [...tree.keys()].flatMap((path) => /^kernels\/([a-z]\w*)\.wgsl$/.exec(path)?.[1] ?? []);
  const exported = exportsOf(tree.get("mod.ts") ?? "");
  const served = new Set(Object.values(SERVES).flat());
  const ops = new Set([...shaders.filter((name) => !(name in SERVES)), ...exported.keys(), ...served]);
  for (const op of [...ops].toSorted()) {
    const name = op.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const test = tree.get(`tests/kernels/${op}_test.ts`) ?? "";
    const names = exported.get(op);
    const parts: Record<string, boolean | undefined> = {
      "shader": shaders.includes(op) || served.has(op) || WITHOUT_SHADER.includes(op),
      [`function ${name}`]: tree.get(`kernels/${op}.ts`)?.includes(`export function ${name}(`),
      "oracle": tree.has(`tests/oracle/${op}.ts`),
      "test of function and oracle": test.includes(`kernels/${op}.ts"`) && test.includes(`oracle/${op}.ts"`),
      "export in mod.ts": names?.has(name) || names?.has("*"),
    };
    for (const [part, present] of Object.entries(parts)) if (!present) missing.push(`${op}: ${part}`);
  }
  for (const shader of Object.keys(SERVES)) {
    if (!shaders.includes(shader)) missing.push(`${shader}: shader, which SERVES names`);
  }
  return missing;
}

function readTree(): Tree {
  const root = new URL("../../", import.meta.url);
  const tree = new Map<string, string>();
  for (const folder of ["", "kernels/", "tests/kernels/", "tests/oracle/"]) {
    for (const { name, isFile } of Deno.readDirSync(new URL(folder, root))) {
      const path = folder + name;
      const wanted = folder ? /\.(ts|wgsl)$/.test(name) : name === "mod.ts";
      if (isFile && wanted) tree.set(path, Deno.readTextFileSync(new URL(path, root)));
    }
  }
  return tree;
}

Deno.test("every op has shader, function, oracle, test and export", () => {
  assertEquals(missingParts(readTree()), []);
});

Deno.test("an op that lacks a part is found", () => {
  const whole = new Map([
    ...Object.keys(SERVES).map((name) => [`kernels/${name}.wgsl`, ""] as const),
    ...[...new Set(Object.values(SERVES).flat()), "two_words"].flatMap((op): [string, string][] => {
      const name = op === "two_words" ? "twoWords" : op.replace(/_\w/g, (word) => word[1]!.toUpperCase());
      return [
        [`kernels/${op}.wgsl`, ""],
        [`kernels/${op}.ts`, `export function ${name}(`],
        [`tests/oracle/${op}.ts`, ""],
        [`tests/kernels/${op}_test.ts`, `"../../kernels/${op}.ts" "../oracle/${op}.ts"`],
      ];
    }),
  ]);
  const stems = [...whole.keys()].flatMap((path) => /^kernels\/(\w+)\.ts$/.exec(path)?.[1] ?? []);
  const mod = stems.map((stem) =>
    stem === "two_words"
      ? `export {\n  twoWords,\n  type TwoWordsOptions,\n} from "./kernels/two_words.ts";`
      : `export * from "./kernels/${stem}.ts";`
  ).join("\n");
  whole.set("mod.ts", mod);
  assertEquals(missingParts(whole), []);

  const without = (path: string) => missingParts(new Map([...whole].filter(([name]) => name !== path)));
  assertEquals(without("kernels/two_words.wgsl"), ["two_words: shader"]);
  assertEquals(without("kernels/two_words.ts"), ["two_words: function twoWords"]);
  assertEquals(without("tests/oracle/two_words.ts"), ["two_words: oracle"]);
  assertEquals(without("tests/kernels/two_words_test.ts"), ["two_words: test of function and oracle"]);
  assertEquals(without("kernels/gemm/pack.wgsl"), ["gemm_pack: shader, which SERVES names"]);
  whole.set("mod.ts", mod.replace("  twoWords,\n", ""));
  assertEquals(missingParts(whole), ["two_words: export in mod.ts"]);
});
