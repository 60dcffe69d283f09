import { makeFolder } from "../data/write_file.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { writeFileAtomic } from "../model/checkpoint/atomic_file.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { intentTargets, transcriptTargets } from "../train/corpus_source.ts";
import { FinetuneTrainer } from "../train/trainer.ts";
import { finetune, type FinetuneResult } from "../train/loop.ts";
import { measureMemory } from "../train/memory.ts";
import { type FoundState, loadRunState } from "../train/run_state.ts";
import { scheduleOf } from "../train/schedule.ts";
import { openGpu } from "./backend.ts";
import { type Command, defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { interruptible, memoryText, progressOf, refuseOutput } from "./long_run.ts";
import { folderOf } from "./model_option.ts";
import { givenOf, readRecipe } from "./recipe.ts";
import { openFeed, openUtterances } from "./train_corpus.ts";
import { trainOptions, type TrainSettings } from "./train_options.ts";
import { startAgain, startFresh } from "./train_start.ts";
import { UserError } from "./user_error.ts";

/** `train`: fine-tunes a model, or trains one from random weights. */
export const trainCommand: Command = defineCommand({
  name: "train",
  summary: "Train a model for speech recognition or intents, from another model or from random weights",
  options: trainOptions,
  async run(values) {
    return await onFiles(async () => {
      const recipe = values.recipe === undefined ? {} : await readRecipe(values.recipe, trainCommand);
      const given: TrainSettings = { ...recipe, ...givenOf(values) };
      const { out } = given;
      const dry = values["dry-run"];
      if (dry && !values.resume) {
        await printMemory(begin(given), null);
        return 0;
      }
      if (out === undefined) throw new UserError("Cannot run train as --out is required: see train --help");
      const state = values.resume ? await loadRunState(`${out}/state`) : null;
      if (values.resume && !state) console.error(`note: ${out} has no state: the run begins at step 0`);
      if (!values.resume) await refuseOutput("train", out);
      const settings = state ? goOn(out, given, state) : begin(given);
      if (dry) {
        await printMemory(settings, state);
        return 0;
      }
      const result = await train(out, settings, state);
      console.log(summary(out, result));
      return result.ended === "signal" ? 130 : 0;
    });
  },
});

/** What cannot change within a run. */
const FIXED: readonly string[] = [
  "model",
  "config",
  "task",
  "freeze-feature-encoder",
  "dropout",
  "mask-prob",
];

/** The options of a run that goes on: those it has, and those given now. */
function goOn(out: string, given: TrainSettings, state: FoundState): TrainSettings {
  const before = state.info["settings"] as TrainSettings;
  for (const [name, value] of Object.entries(given) as [keyof TrainSettings, unknown][]) {
    if (value === before[name] || name === "out") continue;
    const was = before[name] ?? "not given";
    if (FIXED.includes(name)) {
      throw new UserError(`Cannot resume ${out} as --${name} must be as it was: ${was}`);
    }
    console.error(`note: goes on with --${name} ${value}, which was ${was}`);
  }
  return { ...before, ...given };
}

function begin(given: TrainSettings): TrainSettings {
  if ((given.model === undefined) !== (given.config === undefined)) return given;
  throw new UserError("Cannot run train as it takes either --model or --config: see train --help");
}

/** Tells how much memory a run takes. */
async function printMemory(settings: TrainSettings, state: FoundState | null): Promise<void> {
  using run = await openRun(settings, state);
  const gpu = await openGpu();
  try {
    console.log(await memoryOf(gpu, run, settings));
  } finally {
    gpu.destroy();
  }
}

async function memoryOf(gpu: Gpu, { start, feed }: TrainRun, settings: TrainSettings): Promise<string> {
  const make = (gpu: Gpu) =>
    new FinetuneTrainer(new SpeechModel(gpu, start.checkpoint), trainerOptions(settings));
  const { source } = feed;
  const { "grad-accum-steps": gradAccumSteps = 1, steps: planned = 1000 } = settings;
  return memoryText(gpu, await measureMemory(gpu, make, { source, gradAccumSteps, planned }));
}

type TrainRun = Awaited<ReturnType<typeof openRun>>;

/** Model and clips of a run. */
async function openRun(settings: TrainSettings, state: FoundState | null) {
  const { model, config, seed = 0, "grad-accum-steps": gradAccumSteps = 1 } = settings;
  const task = settings.task ?? await taskOf(model);
  const clips = await openUtterances(settings.data, task, settings.subset ?? "train", settings["dev-subset"]);
  const start = state ? await startAgain(settings.out!, state) : await startFresh({
    ...model !== undefined && { model },
    ...config !== undefined && { config },
    task,
    seed,
    utterances: clips.train,
    regularization: { dropout: settings.dropout, maskProb: settings["mask-prob"] },
  });
  const { checkpoint, preprocessor, tokenizer } = start;
  const feed = await openFeed(clips, {
    config: checkpoint.config,
    preprocessor,
    targetOf: tokenizer ? transcriptTargets(tokenizer) : intentTargets(checkpoint.config.id2label),
    seed,
    seconds: (settings["batch-seconds"] ?? 32) / gradAccumSteps,
    speedPerturbation: settings["speed-perturbation"] ?? false,
    noise: settings.noise ?? 0,
    join: settings.join ?? 0,
  });
  for (const note of [...start.notes, ...clips.notes, ...feed.notes]) console.error(`note: ${note}`);
  return { task, start, feed, [Symbol.dispose]: () => feed[Symbol.dispose]() };
}

/** How the weights learn. */
function trainerOptions(settings: TrainSettings) {
  return {
    lr: settings.lr ?? (settings.config === undefined ? 1e-4 : 2e-3),
    weightDecay: settings["weight-decay"] ?? 0.01,
    freezeFeatureEncoder: settings["freeze-feature-encoder"] ?? false,
    gradCheckpoint: settings["grad-checkpoint"] ?? false,
  };
}

async function train(
  out: string,
  settings: TrainSettings,
  state: FoundState | null,
): Promise<FinetuneResult> {
  const {
    seed = 0,
    steps = 1000,
    "grad-accum-steps": gradAccumSteps = 1,
    patience = 0,
    schedule = "tri-stage",
  } = settings;
  const warmup = settings.warmup ?? Math.round(steps / 10);
  scheduleOf({ kind: schedule, steps, warmup }); // refuses what does not fit together
  using run = await openRun(settings, state);
  const { task, start: { checkpoint, tokenizer }, feed } = run;
  const gpu = await openGpu({}, true);
  try {
    console.error(await memoryOf(gpu, run, settings));
    await makeFolder(out);
    for (const [name, text] of Object.entries(run.start.files)) {
      await writeFileAtomic(`${out}/${name}`, [new TextEncoder().encode(text)]);
    }
    return await interruptible((signal) =>
      finetune({
        gpu,
        checkpoint,
        source: feed.source,
        ...feed.dev && { dev: feed.dev },
        tokenizer,
        out,
        seed,
        steps,
        gradAccumSteps,
        ...trainerOptions(settings),
        warmup,
        schedule,
        maxGradNorm: settings["max-grad-norm"] ?? 5,
        evalEvery: settings["eval-every"] ?? 200,
        saveEvery: settings["save-every"] ?? 100,
        patience: patience || Infinity,
        resume: state,
        info: { settings: { ...settings, task } },
        progress: progressOf(steps),
        signal,
      })
    );
  } finally {
    gpu.destroy();
  }
}

/** What a model is for, by its head. */
async function taskOf(model: string | undefined): Promise<"asr" | "slu"> {
  if (model === undefined) return "asr";
  return (await readCheckpoint(await folderOf(model))).head === "classify" ? "slu" : "asr";
}

function summary(out: string, { steps, ended, best, audioSeconds }: FinetuneResult): string {
  const audio = `${Math.round(audioSeconds).toLocaleString("en")} s of audio`;
  const why = { steps: "", patience: ", as it got no better", signal: ", as it was interrupted" }[ended];
  const first = `${out}: ${steps} steps, ${audio}${why}`;
  if (ended === "signal") return `${first}\n--resume goes on`;
  if (!best) return first;
  const [error] = best.order as [number];
  const rate = best.order.length > 2
    ? `WER ${(100 * error).toFixed(2)} %`
    : `accuracy ${(100 - 100 * error).toFixed(2)} %`;
  return `${first}\nbest at step ${best.step}: ${rate}`;
}
