import { assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../cli/main.ts";
import { tone, withFolder } from "../data/folder.ts";

async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const said = { out: "", err: "" };
  console.log = (line: string) => said.out += `${line}\n`;
  console.error = (line: string) => said.err += `${line}\n`;
  try {
    return { status: await main(["data", ...words], "/"), ...said };
  } finally {
    Object.assign(console, { log, error });
  }
}

const manifest = { "train.jsonl": '{"audio": "a.wav", "text": "hello there"}\n', "a.wav": tone(0.2) };

Deno.test("data check prints what is in a corpus, and fails where something is wrong", () =>
  withFolder(manifest, async (dir) => {
    const good = await run("check", dir);
    assertEquals(good.status, 0);
    assertStringIncludes(good.out, "utterances  1, 0.0 min, unknown speakers, 16000 Hz");
    assertStringIncludes(good.out, "no errors");
    await Deno.writeTextFile(`${dir}/vocab.json`, '{"<pad>": 0, "H": 1}');
    const bad = await run("check", dir, "--vocab", `${dir}/vocab.json`, "--json");
    assertEquals([bad.status, JSON.parse(bad.out).problems.length], [1, 1]);
  }));

Deno.test("data check notes odd rows, refuses them with --strict, and takes the first with --limit", () =>
  withFolder({
    ...manifest,
    "train.jsonl": manifest["train.jsonl"] + '{"audio": "b.wav", "text": "lost"}\n'.repeat(2) +
      '{"audio": "a.wav", "id": "c", "text": "there"}\n',
  }, async (dir) => {
    const lenient = await run("check", dir);
    assertEquals(lenient.status, 0);
    assertStringIncludes(lenient.out, "utterances  2,");
    const [first, second] = [2, 3].map((line) => `b.wav in ${dir}/train.jsonl:${line}`);
    assertStringIncludes(lenient.out, `note: utterances without audio, skipped: 2 (${first}, ${second})\n`);
    const strict = await run("check", dir, "--strict", "--json");
    const { problems, notes } = JSON.parse(strict.out);
    assertEquals([strict.status, problems.length, notes], [1, 2, []]);
    assertStringIncludes((await run("check", dir, "--limit", "1")).out, "utterances  1,");
  }));

Deno.test("mistakes with data are one line", () =>
  withFolder(manifest, async (dir) => {
    const mistakes: [string[], string][] = [
      [["check"], "data check takes one DIR: got none"],
      [["check", `${dir}/x`], "there is no such folder"],
      [["check", dir, "--vocab", `${dir}/x.json`], "x.json as the system refuses"],
      [["check", dir, "--train", "3"], "data check has no option --train: see ./espalier data --help"],
      [["asterisk"], "data asterisk requires --out: see ./espalier data --help"],
      [["asterisk", "--out", dir], "it exists"],
      [["commands", "x"], "data commands takes no further arguments: got x"],
      [["commands", "--train", "1000000"], "1000500 are requested"],
      [["commands", "--train", "1", "--out", dir], "it holds something else"],
      [["comands"], "did you mean commands?"],
    ];
    for (const [words, message] of mistakes) {
      const { status, out, err } = await run(...words);
      assertEquals([status, out], [2, ""], err);
      assertStringIncludes(err, message);
      assertEquals(err.trimEnd().split("\n").length, 1, err);
    }
  }));
