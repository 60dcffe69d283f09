import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseTorchFile } from "../../../model/checkpoint/torch_file.ts";
import { assertBounded } from "../../bounded.ts";
import { HOSTILE } from "./hostile.ts";

for (const [name, make, expected] of HOSTILE) {
  const end = expected === null ? "read without it" : "refused in one line";
  Deno.test(`a file with ${name} is ${end}`, async () => {
    const file = make();
    const message = await assertBounded({ ms: 2000 }, () => {
      try {
        parseTorchFile(file, "x.bin");
        return null;
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
        return error.message;
      }
    });
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
