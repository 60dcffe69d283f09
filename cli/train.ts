import { seeHelp } from "./program_name.ts";
import { type Communicator, isRoot } from "../comm/communicator.ts";
import { type FoundState, loadRunState } from "../train/run_state.ts";
import type { Input } from "../train/fingerprints.ts";
import { type BestScores, bestScores } from "../train/best.ts";
import { LIBRARY } from "../train/library_options.ts";
import type { TrainingResult } from "../train/loop.ts";
import { CHANGEABLE } from "../train/resume.ts";
import { EARLY_FILES } from "../train/start.ts";
import { openGpu } from "./backend.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { inJob, microBatches, onRoot } from "./job.ts";
import { claimOutput, printInterrupted, refuseOutput } from "./long_run.ts";
import { type Given, type Values, withDefaults } from "./options.ts";
import { USUAL } from "./permissions.ts";
import { print } from "./print.ts";
import { checkResources, printMemory } from "./resources.ts";
import { changedOptions, readRecipe, savedSettings, settingsOfRun } from "./run_settings.ts";
import { note } from "./stderr.ts";
import { trainOptions, type TrainSettings } from "./train_options.ts";
import { estimateMemory, openRun, train } from "./train_run.ts";
import { UserError } from "./user_error.ts";

/** `train`: fine-tunes a model, or trains one from random weights. */
export const trainCommand: Command = defineCommand({
  name: "train",
  summary: "Train or fine-tune a model for speech recognition or intents",
  options: trainOptions,
  access: [...USUAL, "job"],
  examples: [
    [
      "fine-tune a pretrained model",
      "train --model facebook/wav2vec2-base --data ~/LibriSpeech --out model",
    ],
    ["train with the options of a recipe", "train --recipe recipes/fsdd-train.json --out digits"],
    ["resume an interrupted run", "train --resume --out model"],
  ],
  async run(values, _, given) {
    return await onFiles(() => inJob((comm) => runTrain(values, given, comm)));
  },
});

/** Trains, in a job of several processes or in this one alone. Returns the exit status. */
async function runTrain(
  values: Values<typeof trainOptions>,
  given: Given<typeof trainOptions>,
  comm: Communicator | null,
): Promise<number> {
  const { resume, json, recipe, "dry-run": dry } = values;
  const read: TrainSettings = recipe === undefined ? {} : await readRecipe(recipe, trainCommand);
  const settings: TrainSettings = { ...read, ...settingsOfRun(given) };
  const { out } = settings;
  if (values["accept-changes"] && !resume) throw new UserError("--accept-changes requires --resume");
  if (dry && !resume) {
    await dryRun(checkStart(settings), null, json);
    return 0;
  }
  if (out === undefined) throw new UserError(`train requires --out: ${seeHelp("train")}`);
  using _claim = await onRoot(comm, () => claimOutput("train", out));
  const state = resume ? await loadRunState(`${out}/state`) : null;
  await comm?.barrier(); // nothing is written before all have read
  if (resume && !state) {
    if (settings.model === undefined && settings.config === undefined) {
      throw new UserError(`No run to resume in ${out}: there is no saved state`);
    }
    note(`${out} has no saved state: training starts at step 0`);
  }
  if (!state) await onRoot(comm, () => refuseOutput(out, EARLY_FILES));
  const options = state ? resumedSettings(out, settings, state) : checkStart(settings);
  const count = microBatches(comm, options["grad-accum-steps"]);
  const merged = count === undefined ? options : { ...options, "grad-accum-steps": count };
  if (comm && state) {
    note(`resuming with ${comm.size} processes: with another number, results differ in the last bits`);
  }
  if (dry) {
    await dryRun(merged, state, json);
    return 0;
  }
  const accepted = state ? acceptedInputs(settings, state, values["accept-changes"]) : [];
  const { result, status } = await train(out, merged, { state, accepted, comm });
  if (!isRoot(comm)) return status;
  const summary = json ? JSON.stringify(summaryOf(out, result), null, 2) : summaryText(out, result);
  print(summary);
  if (result.ended !== "signal") return 0;
  printInterrupted("train", out);
  return status;
}

/** Inputs that options name: who gives another value accepts another input. */
const NAMED_BY: Readonly<Record<string, readonly Input[]>> = {
  "data": ["train", "dev"],
  "subset": ["train"],
  "dev-subset": ["dev"],
  "limit": ["train", "dev"],
  "strict": ["train", "dev"],
};

/** Inputs that a resumed run may take as they are now. */
function acceptedInputs(given: TrainSettings, state: FoundState, all: boolean): readonly Input[] {
  if (all) return CHANGEABLE;
  return changedOptions(trainOptions, given, savedOptions(state)).flatMap(({ name }) => NAMED_BY[name] ?? []);
}

function savedOptions(state: FoundState): TrainSettings {
  if (LIBRARY in (state.info["settings"] as Record<string, unknown>)) {
    throw new UserError(
      `Cannot resume ${state.path} as the command line must have begun it: it is a program's run`,
    );
  }
  return savedSettings(state.info["settings"] as Record<string, unknown>, trainOptions);
}

/** Options that cannot change within a run. */
const FIXED: readonly string[] = [
  "model",
  "revision",
  "lang",
  "config",
  "task",
  "vocab",
  "new-head",
  "freeze-feature-encoder",
  "dropout",
  "mask-prob",
];

/** The options of a resumed run: the saved ones, and those given now. */
function resumedSettings(out: string, given: TrainSettings, state: FoundState): TrainSettings {
  const saved = savedOptions(state);
  for (const { name, value, before } of changedOptions(trainOptions, given, saved)) {
    if (FIXED.includes(name)) {
      throw new UserError(`Cannot resume ${out} as --${name} must be as it was: ${before}`);
    }
    note(`resuming with --${name} ${value} (was ${before})`);
  }
  const merged = { ...saved, ...given };
  const { steps } = withDefaults(trainOptions, merged);
  if (steps >= state.step) return merged;
  throw new UserError(
    `Cannot resume ${out} as --steps must be at least the ${state.step} steps done: ${steps}`,
  );
}

function checkStart(settings: TrainSettings): TrainSettings {
  if ((settings.model === undefined) !== (settings.config === undefined)) return settings;
  throw new UserError(`train takes either --model or --config: ${seeHelp("train")}`);
}

/** Prints the estimated memory of a run. */
async function dryRun(settings: TrainSettings, state: FoundState | null, json: boolean): Promise<void> {
  const values = withDefaults(trainOptions, settings);
  using run = await openRun(values, state);
  const gpu = await openGpu();
  try {
    const memory = await estimateMemory(gpu, run, values);
    printMemory(memory, json);
    const out = values.out ?? ".";
    await checkResources({ command: "train", out, gpu, dry: true, resumed: state !== null }, memory);
  } finally {
    gpu.destroy();
  }
}

/** What `train --json` prints. */
export interface TrainSummary {
  readonly out: string;
  readonly steps: number;
  /** Why training ended. */
  readonly ended: TrainingResult["ended"];
  /** Seconds of audio processed. */
  readonly audio_seconds: number;
  /** Best evaluation, with `wer` or `accuracy` as shares; null without a dev subset. */
  readonly best: BestScores | null;
}

function summaryOf(out: string, { steps, ended, best, audioSeconds }: TrainingResult): TrainSummary {
  return { out, steps, ended, audio_seconds: audioSeconds, best: bestScores(best) };
}

function summaryText(out: string, result: TrainingResult): string {
  const { steps, ended, audio_seconds, best } = summaryOf(out, result);
  const audio = `${Math.round(audio_seconds).toLocaleString("en")} s of audio`;
  const why = { steps: "", patience: " (stopped early: no improvement)", signal: " (interrupted)" }[ended];
  const first = `${out}: ${steps} steps, ${audio}${why}`;
  if (!best || ended === "signal") return first;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const rate = best.wer === null ? `accuracy ${percent(best.accuracy!)}` : `WER ${percent(best.wer)}`;
  return `${first}\nbest at step ${best.step}: ${rate}`;
}
