// Signals to a run in a process of its own: it finishes the step, saves its state, and exits with the signal's status.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadRunState } from "../../train/run_state.ts";
import { withCorpus } from "./tone_corpus.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const direct = [Deno.execPath(), "run", "-A", `${root}cli.ts`];

/** Starts a training of many steps, by a program and its first words, and waits for its first step. */
async function startRun(
  dir: string,
  [command, ...first] = direct,
): Promise<Deno.ChildProcess> {
  const words = [
    "--recipe",
    `${dir}/recipe.json`,
    "--out",
    `${dir}/out`,
    "--steps",
    "5000",
    "--dev-subset",
    "none",
  ];
  const child = new Deno.Command(command!, {
    args: [
      ...first,
      "train",
      ...words,
      "--warmup",
      "0",
      "--schedule",
      "constant",
      "--lr",
      "1e-4",
    ],
    env: { ESPALIER_PROGRAM: "./espalier" }, // the tests may run as a task of Deno
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const size = () => Deno.stat(`${dir}/out/metrics.jsonl`).then(({ size }) => size, () => 0);
  let over = false;
  child.status.then(() => over = true);
  while (!over && await size() === 0) await new Promise((done) => setTimeout(done, 50));
  return child;
}

const posix = { ignore: Deno.build.os === "windows" };

for (const [signal, status] of [["SIGTERM", 143], ["SIGHUP", 129], ["SIGINT", 130]] as const) {
  Deno.test(
    `${signal} ends train with its state saved and status ${status}`,
    posix,
    () =>
      withCorpus(async (dir) => {
        const child = await startRun(dir);
        child.kill(signal);
        const { code, stderr } = await child.output();
        const text = new TextDecoder().decode(stderr);
        assertEquals(code, status, text);
        assertStringIncludes(text, "Interrupted. Resume with: ./espalier train --resume --out ");
        const state = (await loadRunState(`${dir}/out/state`))!;
        assert(state.step > 0 && state.step < 5000, `${state.step}`);
        // The folder is free for the next run.
        assertEquals(await Deno.stat(`${dir}/out/espalier.lock`).catch(() => null), null);
      }),
  );
}

Deno.test("a second signal ends train at once", posix, () =>
  withCorpus(async (dir) => {
    const [deno, ...words] = direct;
    const held = words.toSpliced(1, 0, `--preload=${root}tests/train/hold_step.ts`);
    const child = await startRun(dir, [deno!, ...held]);
    const again = setInterval(() => {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
    }, 5);
    const { signal } = await child.output().finally(() => clearInterval(again));
    assertEquals(signal, "SIGTERM", "the system ended it, not the program after the step");
  }));

const sizeOf = (path: string) => Deno.stat(path).then(({ size }) => size);

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`${signal} to ./espalier leaves no run behind`, posix, () =>
    withCorpus(async (dir) => {
      const child = await startRun(dir, [`${root}espalier`]);
      child.kill(signal);
      const { code } = await child.output();
      assertEquals(code, signal === "SIGTERM" ? 143 : 137);
      const size = await sizeOf(`${dir}/out/metrics.jsonl`);
      await new Promise((done) => setTimeout(done, 500));
      assertEquals(await sizeOf(`${dir}/out/metrics.jsonl`), size, "nothing trains on");
    }));
}
