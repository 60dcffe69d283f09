import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertMistake, run } from "../train/tone_corpus.ts";
import { exists } from "../crash/commands.ts";
import { put } from "../data/folder.ts";
import { full } from "../full.ts";
import { killedAt, type Moment } from "../kill_at.ts";
import { outcome, SMALL, withModel } from "../prune/run/pruned_tones.ts";

const program = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);

/** Two methods, and in the full suite two targets and two seeds. */
const AXES = ["--methods", "mac,size", "--targets", full ? "0.3,0.5" : "0.5", "--seeds", full ? "1,2" : "1"];
const NAMES = (full ? [1, 2] : [1]).flatMap((seed) =>
  ["mac", "size"].flatMap((method) =>
    (full ? [0.3, 0.5] : [0.5]).map((target) => `${method}-${target}-seed-${seed}`)
  )
);

/** Words of a small sweep, without its folder. */
function sweepWords(dir: string, axes: readonly string[] = AXES): string[] {
  return ["sweep", "--model", `${dir}/model`, "--data", `${dir}/corpus`, ...SMALL, ...axes];
}

/** Runs the program, up to a moment if one is given. */
function start(words: readonly string[], moment?: Moment) {
  const { args, env } = moment ? killedAt(moment) : { args: [], env: {} };
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...args, program, ...words],
    stdin: "null",
    env: { ...env, NO_COLOR: "1" },
  }).output();
}

/** What a sweep leaves, without times and places. */
async function tables(out: string) {
  const { common, runs } = JSON.parse(await Deno.readTextFile(`${out}/sweep.json`));
  const text = JSON.stringify({ common, runs }, (key, value) => {
    return ["date", "seconds", "seconds_per_second", "command", "compute_seconds"].includes(key)
      ? null
      : value;
  });
  const markdown = await Deno.readTextFile(`${out}/sweep.md`);
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  const time = rows[0]!.split("|").findIndex((cell) => cell.trim() === "time");
  return [text, rows.map((row) => row.split("|").map((cell) => cell.trim()).toSpliced(time, 1))];
}

Deno.test("a sweep that is killed and resumed, and one in two shards, give the tables of one undisturbed", () =>
  withModel("asr", async (dir, prune) => {
    const whole = await run(...sweepWords(dir), "--out", `${dir}/whole`);
    assertEquals(whole.status, 0, whole.err);
    assertStringIncludes(whole.out, `${dir}/whole/sweep.html`);
    const expected = await tables(`${dir}/whole`);

    // Killed after one of its runs, and in the middle of the next.
    const words = [...sweepWords(dir), "--out", `${dir}/killed`];
    const { signal, stderr } = await start(words, { path: `${dir}/killed/runs/${NAMES[1]}/run/prune` });
    assertEquals(signal, "SIGKILL", new TextDecoder().decode(stderr));
    assert(!await exists(`${dir}/killed/runs/${NAMES[1]}/report.json`));
    const resumed = await run(...words);
    assertEquals(resumed.status, 0, resumed.err);
    assertEquals(await tables(`${dir}/killed`), expected);

    const shards = await Promise.all(
      [1, 2].map((index) => start([...sweepWords(dir), "--shard", `${index}/2`, "--out", `${dir}/shards`])),
    );
    const logs = shards.map(({ stderr }) => new TextDecoder().decode(stderr));
    assertEquals(shards.map(({ code }) => code), [0, 0], logs.join("\n"));
    const made = logs.flatMap((text) =>
      [...text.matchAll(/^run \d+ of \d+: ([^,\n]+)/gm)].map(([, name]) => name!)
    );
    assertEquals(made.sort(), NAMES.toSorted()); // each by one process
    assertEquals(await tables(`${dir}/shards`), expected);

    // A run of a sweep is a run of prune.
    const single = ["--method", "mac", "--target", "0.5", "--seed", "1", "--out", `${dir}/single`];
    assertEquals((await prune(...single)).status, 0);
    assertEquals(await outcome(`${dir}/whole/runs/mac-0.5-seed-1`), await outcome(`${dir}/single`));
    const again = await run("prune", "--resume", "--out", `${dir}/whole/runs/mac-0.5-seed-1`);
    assertEquals(again.status, 0, again.err);

    // A sweep that is finished writes its tables, and no more.
    const known = await run(...sweepWords(dir), "--out", `${dir}/whole`);
    assertEquals([known.status, known.err], [0, ""]);
    assertEquals(await tables(`${dir}/whole`), expected);
  }));

Deno.test("a run that fails is named and does not stop the others", () =>
  withModel("slu", async (dir) => {
    const words = sweepWords(dir, ["--methods", "mac,none", "--targets", "0.9999,0.5"]);
    const { status, out, err } = await run(...words, "--out", `${dir}/out`);
    assertEquals(status, 1, err);
    const line = "mac-0.9999-seed-0 failed: Cannot prune macs";
    assertStringIncludes(out, line);
    assertStringIncludes(err, "failed: mac-0.9999-seed-0: Cannot prune macs");
    const { runs } = JSON.parse(await Deno.readTextFile(`${dir}/out/sweep.json`));
    assertEquals(
      runs.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`),
      ["mac-0.9999-seed-0 failed", "mac-0.5-seed-0 finished", "none-seed-0 finished"],
    );
    const plan = await run(...words, "--out", `${dir}/out`, "--shard", "2/2", "--dry-run", "--seeds", "0,1");
    assertStringIncludes(plan.out, "finished  mac-0.5-seed-0\n");
    assertStringIncludes(plan.out, "4 of 6 runs left: ");
    const json = await run(...words, "--out", `${dir}/out`, "--json");
    assertEquals([json.status, JSON.parse(json.out).runs.length], [1, 3]);
  }));

Deno.test("a plan without finished runs is timed by a few steps, and writes nothing", () =>
  withModel("asr", async (dir) => {
    const words = sweepWords(dir, ["--methods", "mac,none", "--targets", "0.1,0.2", "--seeds", "1,2"]);
    const grid = ["--grid", "lr=1e-3,2e-3,distill=0,0.5,1", "--out", `${dir}/out`, "--dry-run"];
    const { status, out, err } = await run(...words, ...grid, "--json");
    assertEquals(status, 0, err);
    const plan = JSON.parse(out);
    assertEquals(plan.runs.length, 3 * 2 * 6);
    assertEquals(plan.runs[1], { name: "mac-0.1-seed-1-lr-0.001-distill-0.5", state: "to do" });
    assert(plan.seconds_left > 0);
    assert(!await exists(`${dir}/out`));
  }));

Deno.test("mistakes with sweep are one line each, and nothing is written", () =>
  withModel("asr", async (dir) => {
    const mistakes: readonly (readonly [message: string, ...words: string[]])[] = [
      ["--method must be one of", "--methods", "mac,macs"],
      ["--target must be at most 1: got 2", "--targets", "0.3,2"],
      ["--seed must be a whole number: got 0.5", "--seeds", "1,0.5"],
      ["mac-0.3-seed-0 is twice", "--targets", "0.3,0.3"],
      ["--grid must be like lr=1e-4,2e-4: got 1e-4", "--grid", "1e-4"],
      ["--grid cannot vary this option: --data", "--grid", "data=a,b"],
      ["--grid cannot vary this option: --target", "--grid", "target=0.1"],
      ["--lr must be a number: got fast", "--grid", "lr=1e-4,fast"],
      ["--shard must be I/N with I from 1 to N: got 3/2", "--shard", "3/2"],
      ["no such file or folder", "--model", `${dir}/none`],
      ["must be at most the 6 steps", "--grid", "warmup=7"],
    ];
    for (const [message, ...words] of mistakes) {
      assertMistake(await run(...sweepWords(dir, []), ...words, "--out", `${dir}/out`), message);
    }
    assert(!await exists(`${dir}/out`));
    await put(dir, { "out/sweep.json": "{}" });
    assertMistake(await run(...sweepWords(dir, []), "--out", `${dir}/out`), "must be the record of a sweep");
    await put(dir, { "out/sweep.json": "{" });
    assertMistake(
      await run(...sweepWords(dir, []), "--out", `${dir}/out`),
      "out/sweep.json as it must be JSON",
    );
  }));
