// A corpus of tones on disk, and the command line on it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../cli/main.ts";
import { encodeWav, toInt16 } from "../../data/audio/wav_write.ts";
import { withFolder } from "../data/folder.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";
import { tones } from "./tiny.ts";

/** Runs the program with its output caught. */
export async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const said = { out: "", err: "" };
  console.log = (line: string) => said.out += line + "\n";
  console.error = (line: string) => said.err += line + "\n";
  try {
    return { status: await main(words, Deno.cwd()), ...said };
  } finally {
    Object.assign(console, { log, error });
  }
}

const LETTERS = "xxxABCDEF";
const CLIPS = ["abc", "cab", "fed", "bad", "deaf", "ace"];

/** A corpus of tones, a config and a recipe. */
export async function withCorpus(test: (dir: string) => Promise<void>): Promise<void> {
  const sounds = tones(CLIPS.map((word) => [...word.toUpperCase()].map((letter) => LETTERS.indexOf(letter))));
  const files = CLIPS.map((word, i) => [`${word}.wav`, encodeWav(toInt16(sounds[i]!), 16_000)] as const);
  const rows = CLIPS.map((word) =>
    JSON.stringify({
      audio: `${word}.wav`,
      text: `${word}!`,
      intent: word.includes("a") ? "with_a" : "without",
    })
  );
  const quiet = {
    hidden_dropout: 0,
    attention_dropout: 0,
    activation_dropout: 0,
    layerdrop: 0,
    initializer_range: 0.1,
  };
  const config = { ...TINY_MODELS["wav2vec2 large"].config, ...quiet };
  const recipe = { config: "config.json", data: "corpus", steps: 6, "batch-seconds": 1.5, lr: 0.5, seed: 1 };
  await withFolder({
    ...Object.fromEntries(files.map(([name, bytes]) => [`corpus/${name}`, bytes])),
    "corpus/train.jsonl": rows.slice(0, 4).join("\n"),
    "corpus/dev.jsonl": rows.slice(4).join("\n"),
    "config.json": JSON.stringify(config),
    "recipe.json": JSON.stringify(recipe),
  }, test);
}

/** Checks that a command failed with one line. */
export function assertMistake({ status, out, err }: Awaited<ReturnType<typeof run>>, message: string): void {
  assertEquals([status, out], [2, ""], err);
  const lines = err.trimEnd().split("\n").filter((line) =>
    !/^(note: |estimated memory: |step \d+|evaluating|pruning|choosing|fine-tuning|measuring)/.test(line)
  );
  assertStringIncludes(lines[0]!, message);
  assertEquals(lines.length, 1, err);
}
