// A device that fails in the middle of a run: one line with the state on disk, from which the run ends in the same bits.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { preferVulkan } from "../../cli/backend.ts";
import { DeviceError } from "../../tensor/device_errors.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { trainModel } from "../../train/loop.ts";
import { readMetrics } from "../../train/metrics.ts";
import { loadRunState } from "../../train/run_state.ts";
import { variants } from "../full.ts";
import { withLimitedMemory, withLostDevice } from "../tensor/failing_device.ts";
import { smallRun } from "./resume_run.ts";

/** Begins or resumes a small run. */
async function session(out: string): Promise<void> {
  preferVulkan();
  using gpu = await requestGpu();
  await trainModel({ ...smallRun(), gpu, out, resume: await loadRunState(`${out}/state`) });
}

/** What a run ends with, to the bit. */
async function outcome(out: string) {
  const { step, tensors } = (await loadRunState(`${out}/state`))!;
  const records = (await readMetrics(`${out}/metrics.jsonl`)).map(({ seconds: _, ...record }) => record);
  return { step, tensors, records, model: await Deno.readFile(`${out}/model.safetensors`) };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Checks that a session fails with one line that names the last state, and that the run resumed ends as `whole` did. */
async function assertResumes(out: string, failing: () => Promise<unknown>, why: string, whole: unknown) {
  await Deno.mkdir(out);
  const error = await assertRejects(failing, DeviceError);
  assertStringIncludes(error.message, why);
  assert(!error.message.includes("\n"), error.message);
  const state = await loadRunState(`${out}/state`);
  // Without a state, the first one was being written.
  if (state) {
    assert(error.message.endsWith(`(the state of step ${state.step} is in ${state.path})`), error.message);
  }
  await session(out);
  assertEquals(await outcome(out), whole);
}

Deno.test("a device that is lost at any submission ends training with one line, and the run resumes to the bit", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/whole`);
    const { submissions } = await withLostDevice({ at: Infinity }, () => session(`${folder}/whole`));
    const whole = await outcome(`${folder}/whole`);
    assert(submissions > 40);
    const shares = variants([0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99], 0.3, 0.8);
    for (const [i, share] of shares.entries()) {
      const at = Math.ceil(share * submissions);
      const reason = i % 2 === 0 ? "destroyed" : "unknown"; // the latter as after a time-out of the driver
      const out = `${folder}/${at}`;
      const failing = () => withLostDevice({ at, reason }, () => session(out));
      await assertResumes(out, failing, `as the device was lost: ${reason}: `, whole);
    }
  }));

Deno.test("memory that runs out ends training with one line, and the run resumes to the bit", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/whole`);
    const { peakBytes } = await withLimitedMemory(Infinity, () => session(`${folder}/whole`));
    const whole = await outcome(`${folder}/whole`);
    for (const share of variants([0.05, 0.25, 0.5, 0.75, 0.9, 0.99], 0.5, 0.99)) {
      const out = `${folder}/${share}`;
      const failing = () => withLimitedMemory(Math.floor(share * peakBytes), () => session(out));
      await assertResumes(out, failing, "as memory ran out: Not enough memory left", whole);
    }
  }));
