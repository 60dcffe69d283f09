import type { Task } from "../data/corpus.ts";
import { makeFolder } from "../data/write_file.ts";
import { readCheckpoint } from "../model/checkpoint.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import { fineTune, type FineTuneResult } from "../train/loop.ts";
import { Progress } from "../train/progress.ts";
import { type FoundState, loadRunState } from "../train/run_state.ts";
import type { ScheduleKind } from "../train/schedule.ts";
import { openGpu } from "./backend.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { folderOf } from "./model_option.ts";
import { openClips, openFeed } from "./train_corpus.ts";
import { givenOf, readRecipe, trainOptions, type TrainSettings, type TrainValues } from "./train_options.ts";
import { startAgain, startFresh } from "./train_start.ts";
import { UserError } from "./user_error.ts";

/** `train`: fine-tunes a model, or trains one from random weights. */
export const trainCommand: Command = defineCommand({
  name: "train",
  summary: "Train a model for speech recognition or intents, from a model or from random weights",
  options: trainOptions,
  async run(values) {
    return await onFiles(async () => {
      const given = givenOf(values);
      const recipe = values.recipe === undefined ? {} : await readRecipe(values.recipe, trainCommand);
      const out = (given.out ?? recipe.out) as string | undefined;
      if (out === undefined) throw new UserError("Cannot run train as --out is required: see train --help");
      const state = values.resume ? await loadRunState(`${out}/state`) : null;
      const settings = await settle(out, { ...recipe, ...given }, state);
      const { ended, ...result } = await train(out, settings, state);
      console.log(summary(out, { ended, ...result }));
      return ended === "signal" ? 130 : 0;
    });
  },
});

/** What cannot change within a run. */
const FIXED = ["model", "config", "task", "freeze-feature-encoder"] as const;

/** The options of the run: those it was started with where it goes on, and those given now. */
async function settle(out: string, given: TrainSettings, state: FoundState | null): Promise<TrainSettings> {
  if (!state) {
    const names = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
    if (names.length > 0 && !values(given).resumed && await hasRun(out)) {
      throw new UserError(`Cannot train as the output is there already: ${out} (--resume goes on with it)`);
    }
    if ((given.model === undefined) === (given.config === undefined)) {
      throw new UserError("Cannot run train as one of --model and --config is required: see train --help");
    }
    return given;
  }
  const before = state.info["settings"] as TrainSettings;
  for (const [name, value] of Object.entries(given) as [keyof TrainValues, unknown][]) {
    if (value === before[name] || name === "out") continue;
    if ((FIXED as readonly string[]).includes(name)) {
      throw new UserError(`Cannot resume ${out} as --${name} must be as it was: ${before[name] ?? "not given"}`);
    }
    console.error(`note: goes on with --${name} ${value}, which was ${before[name] ?? "not given"}`);
  }
  return { ...before, ...given };
}
