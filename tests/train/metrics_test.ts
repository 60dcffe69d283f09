import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MetricsLog, readMetrics, writeMetricsTable } from "../../train/metrics.ts";
import { Progress, showTime } from "../../train/progress.ts";

Deno.test("metrics resume after an incomplete line, without records after the state", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/metrics.jsonl`;
  try {
    assertEquals(await readMetrics(path), []);
    {
      using log = await MetricsLog.open(path, 0);
      for (const step of [1, 2, 3]) log.write({ step, loss: 1 / step });
    }
    await Deno.writeTextFile(path, '{"step":4,"lo', { append: true });
    assertEquals((await readMetrics(path)).map(({ step }) => step), [1, 2, 3]);
    {
      using log = await MetricsLog.open(path, 2);
      log.write({ step: 3, loss: NaN });
    }
    assertEquals(
      await Deno.readTextFile(path),
      '{"step":1,"loss":1}\n{"step":2,"loss":0.5}\n{"step":3,"loss":null}\n',
    );
    await assertRejects(() => MetricsLog.open(`${path}/x`, 0), Error, "as the system refuses: ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("metrics as a table have a column per name", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/metrics.jsonl`;
    {
      using log = await MetricsLog.open(path, 0);
      log.write({ step: 1, loss: 7.5, lr: 1e-7 });
      log.write({ step: 1, dev_loss: 0.25, best: true, note: 'a, "b"' });
      log.write({ step: 2, loss: NaN, lr: 0.001 });
    }
    await writeMetricsTable(path);
    assertEquals(
      await Deno.readTextFile(`${folder}/metrics.csv`),
      `step,loss,lr,dev_loss,best,note\n1,7.5,1e-7,,,\n1,,,0.25,true,"a, ""b"""\n2,,0.001,,,\n`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A progress whose clock the test moves. */
function shown(terminal: boolean, every?: number) {
  const clock = { ms: 0, text: "" };
  const progress = new Progress({
    steps: 100,
    terminal,
    columns: 200,
    ...every !== undefined && { every },
    now: () => clock.ms,
    write: (text) => clock.text += text,
  });
  const step = (step: number, fields?: Record<string, string>) => {
    clock.ms += 500;
    progress.update({ step, loss: 2, audioSeconds: 16, ...fields && { fields } });
  };
  return { clock, progress, step };
}

Deno.test("progress updates one line on a terminal, and notes stand above it", () => {
  const { clock, progress, step } = shown(true);
  for (const n of [1, 2, 3]) step(n, { kept: "61.2 %" });
  assertEquals(
    clock.text,
    [1, 2, 3].map((n) => {
      const left = Math.round((100 - n) / 2);
      return `\r\x1b[Kstep ${n}/100  loss 2.000  kept 61.2 %  32.0 s/s  ${left} s left`;
    }).join(""),
  );
  clock.text = "";
  progress.note("dev WER 5 %");
  assertEquals(clock.text.startsWith("\r\x1b[Kdev WER 5 %\n\r\x1b[Kstep 3/100"), true);
  progress.end();
  assertEquals(clock.text.endsWith("\n"), true);
});

Deno.test("progress writes plain lines from time to time where there is no terminal", () => {
  const { clock, progress, step } = shown(false, 10);
  for (let n = 1; n <= 100; n++) step(n);
  progress.end();
  const lines = clock.text.trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split("  ")[0]), [
    "step 1/100",
    "step 21/100",
    "step 41/100",
    "step 61/100",
    "step 81/100",
    "step 100/100",
  ]);
  assertStringIncludes(lines[1]!, "32.0 s/s  40 s left");
  assertEquals(clock.text.includes("\x1b"), false);
});

Deno.test("times are shown in the unit that suits them", () => {
  assertEquals([0, 99, 100, 5999, 12_000].map(showTime), [
    "0 s",
    "99 s",
    "2 min",
    "1 h 40 min",
    "3 h 20 min",
  ]);
});
