// Starts every command that writes twice into one place, at once and some seconds apart, and compares what it leaves with
// what it leaves alone: `deno run -A --lock=dev.lock tests/crash/double_starts.ts [SECONDS…]`, default 0 1 5 15.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  corpus,
  openPlace,
  type Place,
  prune,
  runWhole,
  start,
  train,
  treeOf,
  type WritingCommand,
} from "./commands.ts";

const MODEL = decodeURIComponent(new URL("../../assets/commands-tiny", import.meta.url).pathname);

/** A command, and what its second start does while the first one runs. */
interface Doubled {
  readonly command: WritingCommand;
  /** It waits and finds the result, or is refused. */
  readonly second: "waits" | "is refused";
  /** Whether it reads the corpus. */
  readonly needsCorpus?: boolean;
}

const folder = (name: string, words: (dir: string) => string[], out: string): WritingCommand => ({
  name,
  words,
  outcome: (dir) => treeOf(`${dir}/${out}`),
});

/** Commands that write. */
export const DOUBLED: readonly Doubled[] = [
  { command: prune, second: "is refused", needsCorpus: true },
  { command: train, second: "is refused", needsCorpus: true },
  { command: corpus, second: "waits" },
  {
    command: folder("export", (dir) => ["export", MODEL, "--to", "onnx", "--out", `${dir}/onnx`], "onnx"),
    second: "is refused",
  },
  {
    command: folder("data random-model", (dir) => [
      ...["data", "random-model", "--config", `${MODEL}/config.json`, "--out", `${dir}/random`],
    ], "random"),
    second: "is refused",
  },
  {
    command: folder("download", () => ["inspect", "org/name"], "hf/hub/models--org--name"),
    second: "waits",
  },
  {
    // Times differ, so that only the names of what was measured can be compared.
    command: {
      name: "gpu --tune",
      words: () => ["gpu", "--tuning"],
      outcome: async (dir) => Object.keys(await treeOf(`${dir}/cache/espalier/gemm`)),
    },
    second: "waits",
  },
];

/** What two starts came to, for a table. */
export interface DoubleReport {
  readonly command: string;
  readonly seconds: number;
  /** What the second start did: it waited, was refused as the folder was used, or found the finished result. */
  readonly second: "waited" | "refused: in use" | "refused: not empty" | "found the result";
}

/**
 * Starts a command, and again so many seconds later.
 *
 * @throws {AssertionError} If not exactly one of them wins, or what is left differs from what one alone leaves.
 */
export async function startTwice(
  { command, second, needsCorpus }: Doubled,
  seconds: number,
  alone: unknown,
): Promise<DoubleReport> {
  await using place = await openPlace(command.name === "download" ? 100 : 0);
  if (needsCorpus) await runWhole(place, corpus.words(place.dir));
  const words = command.words(place.dir);
  const first = start(place, words);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const results = await Promise.all([first.ended, start(place, words).ended]);
  const text = JSON.stringify(results);
  const failed = results.filter(({ status }) => status !== 0);
  const which = `${command.name}, ${seconds} s`;
  if (second === "waits") assertEquals(failed, [], which);
  else {
    assertEquals(failed.map(({ status }) => status), [2], `${which}: ${text}`);
    const lines = failed[0]!.err.trimEnd().split("\n").filter((line) => !line.startsWith("note: "));
    assertEquals(lines.length, 1, text);
    assertStringIncludes(lines[0]!, place.dir);
  }
  assertEquals(await command.outcome(place.dir), alone, which);
  return { command: command.name, seconds, second: whatSecondDid(failed[0]?.err ?? "", text) };
}

function whatSecondDid(refusal: string, all: string): DoubleReport["second"] {
  if (refusal.includes("one process at a time may: it is used by process ")) return "refused: in use";
  if (refusal !== "") {
    assert(/not empty|must be a new|exists/.test(refusal), refusal);
    return "refused: not empty";
  }
  return all.includes("waiting for ") ? "waited" : "found the result";
}

/** What a command leaves alone. */
export async function outcomeAlone({ command, needsCorpus }: Doubled): Promise<unknown> {
  await using place: Place = await openPlace();
  if (needsCorpus) await runWhole(place, corpus.words(place.dir));
  await runWhole(place, command.words(place.dir));
  return await command.outcome(place.dir);
}

if (import.meta.main) {
  const seconds = Deno.args.length > 0 ? Deno.args.map(Number) : [0, 1, 5, 15];
  for (const doubled of DOUBLED) {
    const alone = await outcomeAlone(doubled);
    for (const apart of seconds) {
      const report = await startTwice(doubled, apart, alone);
      console.log(`${report.command}, ${apart} s apart: the second ${report.second}`);
    }
  }
  console.log("in every case one won, with the results of a command alone");
}
