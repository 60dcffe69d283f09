import { assertEquals } from "@std/assert";
import { withoutDeadBranches } from "../../../kernels/gemm/dead_branches.ts";
import { tileKernel } from "../../../kernels/gemm/tile_source.ts";
import { GEMM_VARIANTS } from "../../../kernels/gemm/choice.ts";

/** The lines with something in them, and how many there are in all. */
const told = (text: string) => ({ lines: text.split("\n").filter(Boolean), count: text.split("\n").length });

const text = `fn f() {
  if (BIAS) {
    u += 1;

    if (WIDTH == 1u && ROWS > 2u) {
      u += 2;
    }
  } else {
    u += 3;
  }
  if (!BIAS) {
    u += 4;
  }
  if (m < params.m) {
    if (!BIAS && m > 3u) {
      u += 5;
    } else {
      u += 6;
    }
  }
}
`;

Deno.test("branches that constants rule out are left out, and lines keep their numbers", () => {
  const whole = told(text);
  assertEquals(told(withoutDeadBranches(text, {})), whole);
  assertEquals(told(withoutDeadBranches(text, { BIAS: true, WIDTH: 4, ROWS: 4 })), {
    count: whole.count,
    lines: [
      "fn f() {",
      "  {",
      "    u += 1;",
      "  }",
      "  if (m < params.m) {",
      "    {",
      "      u += 6;",
      "    }",
      "  }",
      "}",
    ],
  });
  assertEquals(told(withoutDeadBranches(text, { BIAS: false, WIDTH: 1 })), {
    count: whole.count,
    lines: [
      "fn f() {",
      "  {",
      "    u += 3;",
      "  }",
      "  {",
      "    u += 4;",
      "  }",
      "  if (m < params.m) {",
      "    if (!BIAS && m > 3u) {",
      "      u += 5;",
      "    } else {",
      "      u += 6;",
      "    }",
      "  }",
      "}",
    ],
  });
});

Deno.test("what remains keeps its line", () => {
  const lines = withoutDeadBranches(text, { BIAS: true, WIDTH: 1, ROWS: 2 }).split("\n");
  const before = text.split("\n");
  for (const [i, line] of lines.entries()) {
    if (/u \+=/.test(line)) assertEquals(line, before[i]);
  }
});

Deno.test("conditions that are not read are left as they are", () => {
  for (const condition of ["BIAS || WIDTH == 1u", "WIDTH < 4u", "(BIAS)", "f(BIAS)", "BIAS & GELU"]) {
    const branch = `  if (${condition}) {\n    u += 1;\n  }\n`;
    assertEquals(withoutDeadBranches(branch, { BIAS: false, WIDTH: 4, GELU: false }), branch);
  }
  const chain = "  if (BIAS) {\n    u += 1;\n  } else if (GELU) {\n    u += 2;\n  }\n";
  assertEquals(withoutDeadBranches(chain, { BIAS: false, GELU: true }), chain);
});

Deno.test("of all branches on constants a tile's text has those alone whose constants the shader works out", () => {
  const operands = ["A_ALONG_K", "B_ALONG_K", "A_FOURS", "B_FOURS", "A_DIRECT", "B_DIRECT", "TAPS"];
  const epilogue = ["ACCUMULATE", "BIAS", "PRE", "GELU", "GATE", "ITEM_GATE", "RESIDUAL"];
  const types = { A: "f32", B: "f32", Next: "f32", Stored: "f32" };
  for (const variant of GEMM_VARIANTS) {
    if (variant === "texture") continue;
    for (const on of [false, true]) {
      const constants = Object.fromEntries([...operands, ...epilogue].map((name) => [name, on]));
      const { source } = tileKernel(variant, constants, types, 1);
      const conditions = [...source.matchAll(/if \(([^()]+)\) \{/g)].map(([, condition]) => condition!);
      const constant = conditions.filter((condition) => /^[A-Z_ !&=>\du]+$/.test(condition));
      assertEquals(new Set(constant), new Set(["A_SHARE > 1u", "B_SHARE > 1u"]));
    }
  }
});
