// Signals to a run in a process of its own: it finishes the step, saves its state, and exits with the signal's status.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadRunState } from "../../train/run_state.ts";
import { withCorpus } from "./tone_corpus.ts";

const program = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);

/** Starts a training of many steps and waits for its first one. */
async function startRun(dir: string): Promise<Deno.ChildProcess> {
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
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      program,
      "train",
      ...words,
      "--warmup",
      "0",
      "--schedule",
      "constant",
      "--lr",
      "1e-4",
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const size = () => Deno.stat(`${dir}/out/metrics.jsonl`).then(({ size }) => size, () => 0);
  for (let i = 0; i < 600 && await size() === 0; i++) await new Promise((done) => setTimeout(done, 50));
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
      }),
  );
}
