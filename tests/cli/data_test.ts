import { assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../cli/main.ts";
import { keptCaches } from "../caches.ts";
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

Deno.test("data check takes the language of a multilingual vocabulary", () =>
  withFolder({
    ...manifest,
    "vocab.json": JSON.stringify({
      deu: { "<pad>": 0, "H": 1, "|": 2 },
      eng: Object.fromEntries(["<pad>", "|", ..."DEHLORT"].map((token, id) => [token, id])),
    }),
  }, async (dir) => {
    const check = (...words: string[]) => run("check", dir, "--vocab", `${dir}/vocab.json`, ...words);
    assertEquals((await check("--lang", "eng")).status, 0);
    const other = await check("--lang", "deu", "--json");
    assertEquals([other.status, JSON.parse(other.out).problems.length], [1, 1]);
    const none = await check();
    assertEquals([none.status, none.out], [2, ""]);
    assertStringIncludes(none.err, "as its language must be known: none is given of deu, eng");
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
      [["check", dir, "--lang", "eng"], "--lang requires --vocab"],
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

Deno.test("a signal ends data commands without a lock; only the cache keeps what was synthesised", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder({}, async (dir) => {
    const caches = await keptCaches();
    const cases = [["SIGINT", 130, ["--out", `${dir}/made`]], ["SIGTERM", 143, []]] as const;
    for (const [signal, status, words] of cases) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", cli, "data", "commands", ...words],
        env: { ...caches, XDG_CACHE_HOME: `${dir}/cache`, NO_COLOR: "1" },
        stdout: "null",
        stderr: "piped",
      }).spawn();
      let over = false;
      const ended = child.output().finally(() => over = true);
      const folder = words.length > 0 ? `${dir}/made.partial` : `${dir}/cache/espalier/${DEFAULT}.partial`;
      while (!over && await wavFiles(folder) < 5) await new Promise((resolve) => setTimeout(resolve, 20));
      if (!over) child.kill(signal);
      const { code, stderr } = await ended;
      const lines = new TextDecoder().decode(stderr).trim().split("\n");
      assertEquals([code, lines.at(-1)], [status, "Interrupted"]);
      const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
      assertEquals(names.filter((name) => name !== "cache"), []);
    }
    const kept = [...Deno.readDirSync(`${dir}/cache/espalier`)].map(({ name }) => name);
    assertEquals(kept, [`${DEFAULT}.partial`]);
  }));

/** Name of the default corpus. */
const DEFAULT = "commands1-3000-200-300-s0";
const cli = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);

/** Number of complete WAV files below a folder. */
async function wavFiles(folder: string): Promise<number> {
  let count = 0;
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(folder)).catch(() => [])) {
    if (isDirectory) count += await wavFiles(`${folder}/${name}`);
    else if (name.endsWith(".wav")) count++;
  }
  return count;
}
