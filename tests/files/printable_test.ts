import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { escapeControls, escapeField } from "../../files/printable.ts";
import { Progress } from "../../train/progress.ts";
import { run } from "../cli/run.ts";
import { withFolder } from "../data/folder.ts";

Deno.test("control characters are escaped, text of all scripts is not", () => {
  assertEquals(
    escapeControls("a\x1b]0;x\x07\r\x7f\x9b\u202e\tb\nü 語 👩‍🚀"),
    "a\\u001b]0;x\\u0007\\u000d\\u007f\\u009b\\u202e\tb\nü 語 👩‍🚀",
  );
  assertEquals(escapeField("a\tb\nc\x1b"), "a\\u0009b\\u000ac\\u001b");
  const value = { text: "\x9b\u202e" };
  assertEquals(JSON.parse(escapeControls(JSON.stringify(value, null, 2))), value);
});

Deno.test("control characters of a corpus reach neither the output nor errors", () =>
  withFolder(
    { "x.jsonl": JSON.stringify({ audio: "a\x1b]0;title\x07\x9b.wav", text: "HI" }) },
    async (dir) => {
      for (
        const words of [["data", "check", `${dir}/x.jsonl`], ["data", "check", `${dir}/x.jsonl`, "--json"]]
      ) {
        const { out, err } = await run(...words);
        const text = [...out, ...err].join("\n");
        assertStringIncludes(text, ".wav");
        assert(!/(?![\t\n])\p{Cc}/u.test(text), JSON.stringify(text));
      }
      const { err } = await run("inspect", `${dir}/no\x1b[2Jmodel`);
      assert(!/(?![\t\n])\p{Cc}/u.test(err.join("\n")), JSON.stringify(err));
    },
  ));

Deno.test("control characters are escaped in notes and fields of the progress", () => {
  let text = "";
  const progress = new Progress({ steps: 2, terminal: false, write: (more) => text += more });
  progress.update({ step: 1, loss: 1, audioSeconds: 1, fields: { "a\x1b": "b\x07" } });
  progress.note("note\x1b[2J");
  assertStringIncludes(text, "a\\u001b b\\u0007");
  assertStringIncludes(text, "note\\u001b[2J");
});
