import { assertEquals, assertThrows } from "@std/assert";
import { preprocess, type Values } from "../../../kernels/gemm/preprocess.ts";

/** The lines that are left, without indentation. */
const linesOf = (text: string, values: Values) =>
  preprocess(text, values).split("\n").map((line) => line.trim()).filter(Boolean);

const branches = `
  //#if BIAS
  bias
  //#if WIDTH == 1 && ROWS > 2
  scalar
  //#end
  //#else
  none
  //#if !GELU
  linear
  //#else
  gelu
  //#end
  //#end
  always`;

Deno.test("one branch of a condition is kept, nested ones too", () => {
  const lines = (values: Values) => linesOf(branches, { GELU: false, WIDTH: 1, ROWS: 4, ...values });
  assertEquals(lines({ BIAS: true }), ["bias", "scalar", "always"]);
  assertEquals(lines({ BIAS: true, WIDTH: 4 }), ["bias", "always"]);
  assertEquals(lines({ BIAS: true, ROWS: 2 }), ["bias", "always"]);
  assertEquals(lines({ BIAS: false }), ["none", "linear", "always"]);
  assertEquals(lines({ BIAS: 0, GELU: 1 }), ["none", "gelu", "always"]);
});

Deno.test("lines are repeated over a range, by steps, and in loops within loops", () => {
  const text = `
    //#for i in 0..N step 4
    //#for j in 1..3
    at \${i} and \${j} of \${N}
    //#end
    //#end`;
  const expected = ["at 0 and 1 of 8", "at 0 and 2 of 8", "at 4 and 1 of 8", "at 4 and 2 of 8"];
  assertEquals(linesOf(text, { N: 8 }), expected);
  assertEquals(linesOf(text, { N: 5 }).length, 4);
  assertEquals(linesOf(text, { N: 0 }), []);
});

Deno.test("a loop's value is known in its conditions, and directives may have values in them", () => {
  const text = `
    //#for i in 0..3
    //#if i > 0 && \${X}_ALONG_K
    \${x}[\${i}]
    //#end
    //#end`;
  const values = { x: "a", X: "A", A_ALONG_K: true };
  assertEquals(linesOf(text, values), ["a[1]", "a[2]"]);
  assertEquals(linesOf(text, { ...values, A_ALONG_K: false }), []);
});

Deno.test("other lines are left as they are", () => {
  const text = "// a comment\n  if (BIAS) {\n\n    u += 1; // #if\n  }\n";
  assertEquals(preprocess(text, {}), text);
});

Deno.test("text that cannot be preprocessed is refused", () => {
  const cases = {
    "//#if A": "a block must end with //#end: //#if A",
    "//#for i in 0..2\n//#if A\n//#end": "a block must end with //#end: //#for i in 0..2",
    "//#end": "a block must start with //#if or //#for: //#end",
    "//#else\n//#end": "a block must start with //#if or //#for: //#else",
    "//#for i in 0..1\n//#else\n//#end": "a block must start with //#if or //#for: //#else",
    "//#elif A\n//#end": "a block must start with //#if or //#for: //#elif A",
    "//#if A || A\n//#end": "a term must be NAME, !NAME, NAME == 2 or NAME > 2: A || A",
    "//#if A < 2\n//#end": "a term must be NAME, !NAME, NAME == 2 or NAME > 2: A < 2",
    "//#if !A == 2\n//#end": "a term must be NAME, !NAME, NAME == 2 or NAME > 2: !A == 2",
    "//#if B\n//#end": "every name must have a value: B",
    "${B}": "every name must have a value: B",
    "//#for i in 0..B\n//#end": "every name must have a value: B",
    "//#for i of 0..2\n//#end": "a loop must be NAME in FROM..TO step STEP: i of 0..2",
    "//#for i in 0..2 step 0\n//#end": "a loop must be NAME in FROM..TO step STEP: i in 0..2 step 0",
  };
  for (const [text, message] of Object.entries(cases)) {
    assertThrows(() => preprocess(text, { A: true }), SyntaxError, message);
  }
});
