// Functions have at most 60 lines, files 300, unless a comment gives the reason.
import { assertEquals } from "@std/assert";
import { modules, root } from "./source_tree.ts";

const FOLDERS = ["bench", "cli", "data", "kernels", "model", "prune", "random", "tensor", "train"];
const MOST = { function: 60, file: 300 };

/** Functions and files that are too long without a reason (`Long because …`), a line each. */
function tooLong(path: string, text: string): string[] {
  const lines = text.split("\n");
  const found: string[] = [];
  if (lines.length > MOST.file + 1 && !/Long because/.test(lines.slice(0, 15).join("\n"))) {
    found.push(`${path}: ${lines.length} lines`);
  }
  const start =
    /^( *)(?:export )?(?:default )?(?:(?:async )?function\*? (\w+)|(?:(?:static|async|get|set|override) )*\*?(#?\w+)(?:<.*>)?\((?!.*;$)|const (\w+) = (?:async )?\(.*=> \{$)/;
  lines.forEach((line, i) => {
    const [, indent, ...names] = start.exec(line) ?? [];
    const name = names.find(Boolean);
    if (indent === undefined || !name || /^(if|for|while|switch|return|super|catch|assert\w*)$/.test(name)) {
      return;
    }
    const length = lines.slice(i + 1).findIndex((other) => new RegExp(`^${indent}\\}`).test(other)) + 2;
    // A signature ends with a brace, on its line or where its parentheses close.
    const close = lines.slice(i + 1).find((other) =>
      other.startsWith(indent) && other[indent.length] !== " "
    );
    const opens = line.endsWith("{") || (line.endsWith("(") && /^ *\).*\{$/.test(close ?? ""));
    if (!opens || length <= MOST.function) return;
    const comment = lines.slice(Math.max(0, i - 25), i + 3).join("\n");
    if (!/Long because/.test(comment)) found.push(`${path}:${i + 1}: ${name} has ${length} lines`);
  });
  return found;
}

Deno.test("functions have at most 60 lines and files 300, or a reason", async () => {
  const found: string[] = [];
  for (const path of await modules(FOLDERS)) {
    found.push(...tooLong(path, await Deno.readTextFile(new URL(path, root))));
  }
  assertEquals(found, []);
});

Deno.test("long functions and files are found", () => {
  const body = "  x;\n".repeat(60);
  assertEquals(tooLong("a.ts", `function f() {\n${body}}\n`), ["a.ts:1: f has 62 lines"]);
  assertEquals(tooLong("a.ts", `/** Long because it is a table. */\nfunction f() {\n${body}}\n`), []);
  assertEquals(tooLong("a.ts", `class A {\n  async #f(\n    a: B,\n  ): C {\n${body}  }\n}\n`), [
    "a.ts:2: #f has 64 lines",
  ]);
  assertEquals(tooLong("a.ts", "x;\n".repeat(301)), ["a.ts: 302 lines"]);
});
