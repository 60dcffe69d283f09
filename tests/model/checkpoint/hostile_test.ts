import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseTorchFile } from "../../../model/checkpoint/torch_file.ts";
import { HOSTILE } from "./hostile.ts";

for (const [name, make, expected] of HOSTILE) {
  Deno.test(`a file with ${name} is ${expected === null ? "read without it" : "refused in one line"}`, () => {
    const file = make();
    const start = performance.now();
    let message: string | null = null;
    try {
      parseTorchFile(file, "x.bin");
    } catch (error) {
      assert(error instanceof SyntaxError, String(error));
      message = error.message;
    }
    assert(performance.now() - start < 2000, "slow");
    if (expected === null) return assertEquals(message, null);
    assertStringIncludes(message ?? "it was read", expected);
    assert(/^[ -~]{1,400}$/.test(message!), message!);
  });
}

Deno.test("hostile files run nothing, and 64 MB of heap are enough for all of them", async () => {
  const script = new URL("./parse_hostile.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // No permissions: a file that reaches the system fails here.
    args: ["run", "--no-check", "--no-prompt", "--v8-flags=--max-old-space-size=64", script.href],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  assertEquals(decoder.decode(stdout).trim(), `${HOSTILE.length} files`);
});
