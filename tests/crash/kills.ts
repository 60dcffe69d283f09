// Kills commands with SIGKILL at moments drawn from a seed, takes them up again, and compares what they leave with what
// they leave undisturbed: `deno run -A --lock=dev.lock tests/crash/kills.ts [KILLS] [SEED]`, default 100 kills.
import { assertEquals } from "@std/assert";
import { readMetrics } from "../../train/metrics.ts";
import { uniformAt } from "../../random/philox.ts";
import {
  corpus,
  exists,
  openPlace,
  type Place,
  prune,
  runWhole,
  start,
  train,
  type WritingCommand,
} from "./commands.ts";

/** A moment in the work of a command. */
interface Moment {
  readonly name: string;
  readonly command: WritingCommand;
  /** Whether it has come. */
  reached(dir: string): Promise<boolean>;
}

const at = (command: WritingCommand, name: string, reached: Moment["reached"]): Moment => ({
  name,
  command,
  reached,
});

/** Whether some file in a folder has a name that matches. */
const has = (folder: string, pattern: RegExp) => async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(`${dir}/${folder}`)).catch(() => [])).some(({ name }) =>
    pattern.test(name)
  );
const step = (folder: string, least: number) => async (dir: string) =>
  (await readMetrics(`${dir}/${folder}/metrics.jsonl`)).some((record) => record.step >= least);
const stage = (name: string) => async (dir: string) =>
  (await Deno.readTextFile(`${dir}/pruned/run/journal.json`).catch(() => "")).includes(`"name": "${name}"`);

/** Moments in their order. */
const MOMENTS: readonly Moment[] = [
  at(corpus, "synthesis, first files", has("corpus.partial", /^LibriSpeech$/)),
  at(corpus, "synthesis", has("corpus.partial/LibriSpeech/train-clean", /./)),
  at(prune, "download", has("hf/hub/models--org--name/blobs", /incomplete$/)),
  at(prune, "before the journal", has("pruned", /lock$/)),
  at(prune, "first evaluation", (dir) => exists(`${dir}/pruned/run/journal.json`)),
  at(prune, "first state of pruning", (dir) => exists(`${dir}/pruned/run/prune`)),
  at(prune, "pruning", step("pruned/run/prune", 4)),
  at(prune, "surgery", (dir) => exists(`${dir}/pruned/run/compact`)),
  at(prune, "evaluation after pruning", stage("prune")),
  at(prune, "first state of fine-tuning", (dir) => exists(`${dir}/pruned/run/finetune`)),
  at(prune, "fine-tuning", step("pruned/run/finetune", 3)),
  at(prune, "final weights", has("pruned", /^model\.safetensors/)),
  at(prune, "measurement of speed", stage("evaluate fine-tuned")),
  at(prune, "report", stage("measure time")),
  at(train, "first state of training", (dir) => exists(`${dir}/trained/state`)),
  at(train, "training", step("trained", 5)),
];

/** Kills by moment, and those that came too late: the command was over. */
export interface KillReport {
  readonly kills: Readonly<Record<string, number>>;
  readonly over: number;
  readonly rounds: number;
}

/** Options of {@linkcode killRuns}. */
export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Moments of a round; default: all. */
  readonly perRound?: number;
  /** Called with a line of text about every kill. */
  readonly log?: (line: string) => void;
}

/**
 * Kills until there were so many kills. Every round begins anew, and is killed at some of the moments, each time after a
 * random delay.
 *
 * @throws {AssertionError} If a round does not end as an undisturbed one, to the bit.
 */
export async function killRuns(
  { kills, seed, perRound = MOMENTS.length, log = () => {} }: KillOptions,
): Promise<KillReport> {
  let draws = 0;
  const draw = () => uniformAt(draws++, { seed, purpose: "kill", step: 0 });
  const alone = outcomesAlone();
  const counts: Record<string, number> = {};
  let [done, over, rounds] = [0, 0, 0];
  for (; done < kills; rounds++) {
    await using place = await openPlace(40);
    const moments = drawSome(Math.min(perRound, kills - done), draw);
    // The corpus is what the others depend on.
    for (const command of [corpus, prune, train]) {
      if (command !== corpus && !moments.some((one) => one.command === command)) continue;
      for (const moment of moments.filter((one) => one.command === command)) {
        const delay = draw() ** 2 * 600;
        const killed = await killAt(place, moment, delay);
        log(`${killed ? "killed" : "over"}: ${command.name}, ${moment.name} + ${Math.round(delay)} ms`);
        if (killed) counts[moment.name] = (counts[moment.name] ?? 0) + 1;
        killed ? done++ : over++;
      }
      await runWhole(place, await command.again?.(place.dir) ?? command.words(place.dir));
      const which = `${command.name}, seed ${seed}, round ${rounds}`;
      assertEquals(await command.outcome(place.dir), await alone(command), which);
    }
    log(`round ${rounds + 1} ended with the same bits, ${done} kills so far`);
  }
  return { kills: counts, over, rounds };
}

/** What commands leave undisturbed; each is run once, where it is asked for. */
function outcomesAlone(): (command: WritingCommand) => Promise<unknown> {
  const known = new Map<WritingCommand, unknown>();
  return async (command) => {
    if (!known.has(command)) {
      await using place = await openPlace();
      for (const needed of new Set([corpus, command])) await runWhole(place, needed.words(place.dir));
      known.set(command, await command.outcome(place.dir));
    }
    return known.get(command);
  };
}

/** So many moments in their order. */
function drawSome(count: number, draw: () => number): Moment[] {
  const left = MOMENTS.map((moment, i) => ({ moment, i, key: draw() })).sort((a, b) => a.key - b.key);
  return left.slice(0, count).sort((a, b) => a.i - b.i).map(({ moment }) => moment);
}

/** Starts or resumes a command and kills it at a moment. Returns whether it was still running. */
async function killAt(place: Place, { command, reached }: Moment, delay: number): Promise<boolean> {
  const words = await command.again?.(place.dir) ?? command.words(place.dir);
  const { child, ended } = start(place, words);
  let over = false;
  ended.then(() => over = true);
  while (!over && !await reached(place.dir)) await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, delay))]);
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  const { status, err } = await ended;
  if (status === "SIGKILL") return true;
  assertEquals(status, 0, `${words.join(" ")}\n${err}`);
  return false;
}

if (import.meta.main) {
  const [kills = 100, seed = 1] = Deno.args.map(Number);
  const began = performance.now();
  const report = await killRuns({ kills, seed, log: (line) => console.log(line) });
  console.log(report.kills);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${kills} kills in ${report.rounds} rounds, ${seconds} s: all ended with the same bits; ${report.over} came too late`,
  );
}
