// Commands on a device that fails in the middle: one line, status 2, and a run that resumes to the same bits.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { variants } from "../full.ts";
import { outcome, withModel } from "../prune/run/pruned_tones.ts";
import { withLimitedMemory, withLostDevice } from "../tensor/failing_device.ts";
import { assertMistake, run } from "../train/tone_corpus.ts";

const LOST = "as the device was lost: unknown: the driver reset the device";
const reason = "unknown";

Deno.test("a device that is lost in any phase of prune ends it with one line, and it resumes to the bit", () =>
  withModel("asr", async (dir, prune) => {
    const start = (name: string) => prune("--save-every", "2", "--out", `${dir}/${name}`);
    const { submissions, result } = await withLostDevice({ at: Infinity }, () => start("whole"));
    assertEquals(result.status, 0, result.err);
    const whole = await outcome(`${dir}/whole`);
    const shares = variants([0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98], 0.7);
    for (const share of shares) {
      const [at, name] = [Math.ceil(share * submissions), `lost-${share}`];
      const { result: failed } = await withLostDevice({ at, reason }, () => start(name));
      assertMistake(failed, LOST);
      const advice = `; resume with: ./espalier prune --resume --out ${dir}/${name}\n`;
      assert(failed.err.endsWith(advice), failed.err);
      const resumed = await run("prune", "--resume", "--out", `${dir}/${name}`);
      assertEquals(resumed.status, 0, resumed.err);
      assertEquals(await outcome(`${dir}/${name}`), whole, name);
    }
  }));

Deno.test("a device that is lost, or without memory, ends train, transcribe, eval and extract with one line", () =>
  withModel("asr", async (dir) => {
    const model = ["--model", `${dir}/model`];
    const data = ["--data", `${dir}/corpus`];
    const audio = ["abc", "fed", "ace"].map((word) => `${dir}/corpus/${word}.wav`);
    const commands = [
      ["train", ...model, ...data, "--steps", "4", "--batch-seconds", "1.5", "--out", `${dir}/trained`],
      ["transcribe", ...model, ...audio],
      ["eval", ...model, ...data, "--subset", "dev"],
      ["extract", ...model, "--out", `${dir}/states.safetensors`, ...audio],
    ];
    for (const words of commands) {
      const { submissions } = await withLostDevice({ at: Infinity }, () => run(...words));
      const { peakBytes } = await withLimitedMemory(Infinity, () => run(...words, ...again(words)));
      const at = Math.ceil(submissions / 2);
      const lost = await withLostDevice({ at, reason }, () => run(...words, ...again(words)));
      assertOneLine(lost.result, LOST);
      const short = await withLimitedMemory(peakBytes / 2, () => run(...words, ...again(words)));
      assertOneLine(short.result, "as memory ran out: Not enough memory left");
    }
  }));

let runs = 0;
/** Another folder for each run of `train`. */
const again = ([command, ...words]: readonly string[]) =>
  command === "train" ? ["--out", `${words.at(-1)}-${runs++}`] : [];

/** Checks the status and the line, after what was printed before the device failed. */
function assertOneLine({ status, err }: Awaited<ReturnType<typeof run>>, message: string): void {
  assertEquals(status, 2, err);
  const last = err.trimEnd().split("\n").at(-1)!;
  assertStringIncludes(last, message);
  assert(!/^ {4}at /m.test(err), err);
}
