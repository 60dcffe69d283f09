import { assertEquals } from "@std/assert";
import { GEMM_VARIANTS } from "../../../kernels/gemm/choice.ts";
import { tileKernel } from "../../../kernels/gemm/tile_kernel.ts";

Deno.test("no tile is compiled with a branch that constants decide", () => {
  const operands = ["A_ALONG_K", "B_ALONG_K", "A_VEC4", "B_VEC4", "A_UNCHECKED", "B_UNCHECKED", "TAPS"];
  const epilogue = ["ACCUMULATE", "BIAS", "PRE", "GELU", "GATE", "ITEM_GATE", "RESIDUAL"];
  const types = { A: "f32", B: "f32", Loaded: "f32", Stored: "f32" };
  for (const variant of GEMM_VARIANTS) {
    if (variant === "texture") continue;
    for (const on of [false, true]) {
      const flags = Object.fromEntries([...operands, ...epilogue].map((name) => [name, on]));
      const { source } = tileKernel(variant).of(flags, types, 1);
      const conditions = [...source.matchAll(/if \(([^()]+)\) \{/g)].map(([, condition]) => condition!);
      assertEquals(conditions.filter((condition) => /^[A-Z_\d !&=>u]+$/.test(condition)), []);
      assertEquals(/\/\/#|\$\{/.exec(source), null);
    }
  }
});

Deno.test("a tile kernel is made once for each set of flags, and named by those that are on", () => {
  const flags = (on: boolean) => ({
    A_ALONG_K: true,
    B_ALONG_K: false,
    A_VEC4: on,
    B_VEC4: on,
    A_UNCHECKED: false,
    B_UNCHECKED: false,
    TAPS: false,
    ...Object.fromEntries(
      ["ACCUMULATE", "BIAS", "PRE", "GELU", "GATE", "ITEM_GATE", "RESIDUAL"].map((name) => [name, false]),
    ),
  });
  const types = { A: "f32", B: "f32", Loaded: "f32", Stored: "f32" };
  const kernel = tileKernel("tile-64").of(flags(false), types, 1);
  assertEquals(kernel.name, "gemm_tile-64[A_ALONG_K]");
  assertEquals(tileKernel("tile-64").of(flags(false), types, 1) === kernel, true);
  assertEquals(tileKernel("tile-64").of(flags(true), types, 1).name, "gemm_tile-64[A_ALONG_K,A_VEC4,B_VEC4]");
});
