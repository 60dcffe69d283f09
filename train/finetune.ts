import { makeFolder, writeFileAtomic } from "../files/atomic_file.ts";
import type { Checkpoint, CheckpointFiles } from "../model/checkpoint/read.ts";
import { loadModel } from "../model/inference/load_model.ts";
import type { LoadedModel } from "../model/inference/loaded_model.ts";
import { json } from "../model/inference/model_files.ts";
import { encodeModel } from "../model/inference/write_model.ts";
import { baseModelOf } from "./base_model.ts";
import { type BestScores, bestScores } from "./best.ts";
import { checkNames, checkSettings } from "./check_settings.ts";
import { changedInputs, changesText, type Fingerprints } from "./fingerprints.ts";
import { checkSameOptions, LIBRARY } from "./library_options.ts";
import { savedInputs } from "./resume.ts";
import { openTrainRun, runTraining, type TrainRun } from "./run.ts";
import type { RunSources } from "./run_corpus.ts";
import { claimRunFolder, isFreeForRun } from "./run_folder.ts";
import { type OnProgress, progressTo } from "./run_progress.ts";
import { type FoundState, loadRunState } from "./run_state.ts";
import { scheduleOf } from "./schedule.ts";
import { fillDefaults, TRAIN_DEFAULTS, TRAIN_NAMES, type TrainSettings } from "./settings.ts";
import { EARLY_FILES } from "./start.ts";

/** Options of {@linkcode finetune}; all but `train` have defaults, which are those of `./espalier train`. */
export interface FinetuneOptions extends RunSources, Partial<TrainSettings> {
  /** Speech recognition (`asr`) or intents (`slu`); default: by the model's head, `asr` without one. */
  readonly task?: "asr" | "slu" | undefined;
  /**
   * Ids by token, the content of `vocab.json`; default: the model's vocabulary, or the characters of the transcripts where it
   * has no CTC head.
   */
  readonly vocab?: Readonly<Record<string, number>> | undefined;
  /** Whether the head starts from random weights; default: only where the present one does not fit. */
  readonly newHead?: boolean | undefined;
  /** Folder for the model and what is needed to resume; default: everything stays in memory. */
  readonly out?: string | undefined;
  /** Whether to continue the run in `out`, if there is one, with the same result as if it had never stopped. */
  readonly resume?: boolean | undefined;
  /** Called after each step, and with the scores on `dev`. */
  readonly onProgress?: OnProgress<"train"> | undefined;
  /** Called with notes on model and corpus, a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the run after the current step, with its state in `out`. */
  readonly signal?: AbortSignal | undefined;
}

/** Result of {@linkcode finetune}. */
export interface FinetuneResult {
  /** The best model by the error on `dev`, or the last one, on the device of the model that it was trained from. */
  readonly model: LoadedModel;
  /** Steps done. */
  readonly steps: number;
  /** Scores of the model on `dev`; null without it. */
  readonly best: BestScores | null;
  /** Seconds of audio processed. */
  readonly audioSeconds: number;
}

/**
 * Fine-tunes a model, as `./espalier train` does with the same options. A model without a head for the task gets one with
 * random weights.
 *
 * @param model Model to start from, in f32. It is not changed.
 * @param options Utterances, steps and more.
 * @returns The trained model, whose files are in `out` as well.
 * @throws {DOMException} The reason of `signal`, if it ended the run.
 * @throws {TypeError} If an utterance lacks its label.
 * @throws {RangeError} If an option is out of range, or a loss is not finite.
 * @throws {Error} If `out` has other files or belongs to another process, or a file cannot be read or written; one line.
 * @example
 * ```ts ignore
 * import { finetune, loadModel } from "../mod.ts";
 *
 * using model = await loadModel("facebook/wav2vec2-base");
 * const { model: tuned, best } = await finetune(model, { train: "LibriSpeech", steps: 2000 });
 * await tuned.save("tuned");
 * console.log(best?.wer);
 * ```
 */
export async function finetune(model: LoadedModel, options: FinetuneOptions): Promise<FinetuneResult> {
  const { train, dev, out, resume = false, onProgress, onNote = () => {}, signal, ...given } = options;
  const { task = model.model.head === "classify" ? "slu" : "asr", vocab, newHead = false } = given;
  checkNames("train", { train, ...given }, ["train", "task", "vocab", "newHead", ...TRAIN_NAMES]);
  const settings = fillDefaults<TrainSettings>(TRAIN_DEFAULTS, given);
  const { steps, schedule, warmup } = settings;
  checkSettings("train", settings);
  scheduleOf({ kind: schedule, steps, warmup }); // throws where they do not fit together
  signal?.throwIfAborted();
  using _claim = out === undefined ? null : await claimRunFolder(out);
  const state = out !== undefined && resume ? await loadRunState(`${out}/state`, steps) : null;
  if (state) checkSameOptions(out!, state.info["settings"], { ...given, steps: undefined });
  using run = await openTrainRun({
    task,
    sources: { train, dev },
    settings,
    from: () => baseModelOf(model),
    vocab: vocab && { name: "the vocabulary", files: { "vocab.json": json(vocab) } },
    newHead,
    again: state && { out: out!, state },
  });
  for (const note of run.notes) onNote(note);
  if (state) checkInputs(out!, state, run.inputs);
  else if (out !== undefined) await beginFolder(out, run);
  let files: CheckpointFiles | null = null;
  const keep = (checkpoint: Checkpoint) => {
    files = { files: encodeModel({ checkpoint, files: run.start.files, dtype: "F32" }), name: model.name };
    return Promise.resolve();
  };
  const { gpu } = model.model;
  const result = await runTraining(run, {
    gpu,
    out: out ?? null,
    settings,
    resume: state,
    saved: { [LIBRARY]: { ...given, steps: undefined } },
    progress: progressTo("train", steps, onProgress),
    signal: signal ?? new AbortController().signal,
    ...out === undefined && { keep },
  });
  if (result.ended === "signal") throw signal!.reason;
  const trained = await loadModel(out ?? files!, { gpu });
  return {
    model: trained,
    steps: result.steps,
    best: bestScores(result.best),
    audioSeconds: result.audioSeconds,
  };
}

function checkInputs(out: string, state: FoundState, now: Fingerprints): void {
  const before = savedInputs(state);
  const changed = changedInputs(before, now).filter((input) => input !== "version");
  if (changed.length === 0) return;
  const text = changesText(changed, before, now);
  throw new Error(`Cannot resume ${out} as its inputs must be as they were: ${text} changed since it began`);
}

async function beginFolder(out: string, run: TrainRun): Promise<void> {
  if (!await isFreeForRun(out, EARLY_FILES)) {
    throw new Error(
      `Cannot train into ${out} as the folder must be empty or have a run to resume: it has files`,
    );
  }
  await makeFolder(`${out}/state`); // before other files, see EARLY_FILES
  for (const [name, text] of Object.entries(run.start.files)) await writeFileAtomic(`${out}/${name}`, text);
}
