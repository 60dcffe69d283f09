import { loadModel } from "../../model/inference/load_model.ts";
import { LoadedModel } from "../../model/inference/loaded_model.ts";
import { baseModelOf } from "../../train/base_model.ts";
import { checkNames, checkSettings } from "../../train/check_settings.ts";
import type { PruneSources } from "../../train/run_corpus.ts";
import { claimRunFolder } from "../../train/run_folder.ts";
import { type OnProgress, progressTo, type RunProgress } from "../../train/run_progress.ts";
import { fillDefaults } from "../../train/settings.ts";
import { planMethod } from "../method.ts";
import type { PruneReport } from "../report/report.ts";
import { openLibraryJournal } from "./library_run.ts";
import { openPruneRun, planRun, taskOf } from "./open_run.ts";
import type { Stage } from "./pipeline_options.ts";
import { runInputs } from "./run_inputs.ts";
import { runPrune } from "./run_prune.ts";
import { RunStore } from "./run_store.ts";
import { checkTogether, PRUNE_CHOICES, PRUNE_DEFAULTS, PRUNE_NAMES, type PruneSettings } from "./settings.ts";

/** Options of {@linkcode prune}; all but `train` have defaults, which are those of the command line. */
export interface PruneOptions extends PruneSources, Partial<PruneSettings> {
  /** Folder for the compact model, the report, and what is needed to resume; default: everything stays in memory. */
  readonly out?: string | undefined;
  /** Whether to continue the run in `out`, if there is one, with the same result as if it had never stopped. */
  readonly resume?: boolean | undefined;
  /** Called when a stage begins, after each step, and with the scores on `dev`. */
  readonly onProgress?: OnProgress<Stage> | undefined;
  /** Called with notes on model and corpus, a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the run after the current step, with its state in `out`. */
  readonly signal?: AbortSignal | undefined;
}

/** Progress of {@linkcode prune}. */
export type PruneProgress = RunProgress<Stage>;

/** Result of {@linkcode prune}. */
export interface PruneResult {
  /** The compact model, on the device of the model that was pruned. */
  readonly compact: LoadedModel;
  /** Error rates, size, cost and time of the models before and after, training curves, and the units that were kept. */
  readonly report: PruneReport;
}

/**
 * Prunes a fine-tuned model: evaluates it, trains gates for its convolution channels, attention heads and feed-forward
 * units together with its weights until the target share of its cost is removed, cuts the closed units out, fine-tunes the
 * compact model, evaluates it and measures its time. The result is that of `./espalier prune` with the same options, to the bit.
 *
 * @param model Model with a CTC or classification head, in f32. It is not changed.
 * @param options Utterances, target and more.
 * @returns The compact model and the report. With `out` both are also files: the model's folder with `report.html`.
 * @throws {DOMException} The reason of `signal`, if it ended the run.
 * @throws {TypeError} If the model lacks a head or its vocabulary, or an utterance its label.
 * @throws {RangeError} If an option is out of range, a target cannot be met, or a loss is not finite.
 * @throws {Error} If `out` has other files or belongs to another process, or a file cannot be read or written; one line.
 * @example
 * ```ts ignore
 * import { loadModel, prune } from "../../mod.ts";
 *
 * using model = await loadModel("facebook/wav2vec2-base-960h");
 * const { compact, report } = await prune(model, { train: "LibriSpeech", method: "mac", target: 0.5 });
 * await compact.save("compact");
 * console.log(report.models.at(-1)?.wer?.value);
 * ```
 */
export async function prune(model: LoadedModel, options: PruneOptions): Promise<PruneResult> {
  const {
    train,
    dev,
    test,
    out,
    resume = false,
    onProgress = () => {},
    onNote = () => {},
    signal,
    ...given
  } = options;
  checkNames("prune", { train, ...given }, ["train", ...PRUNE_NAMES]);
  const settings = fillDefaults<PruneSettings>(PRUNE_DEFAULTS, given);
  checkSettings("prune", settings, PRUNE_CHOICES);
  checkTogether(settings, (name) => name);
  signal?.throwIfAborted();
  const base = await baseModelOf(model);
  const task = taskOf(base);
  const { gpu } = model.model;
  using run = await openPruneRun(base, task, { train, dev, test }, settings);
  for (const note of run.notes) onNote(note);
  using _claim = out === undefined ? null : await claimRunFolder(out);
  const store = new RunStore(out ?? null);
  const plan = planRun(run, {
    gpu,
    store,
    settings,
    progressOf: (steps, stage) => progressTo(stage, steps, onProgress),
    onStage: (stage, message) => onProgress({ stage, step: 0, steps: 0, message }),
  });
  planMethod(base.checkpoint.config, plan); // throws where the target cannot be met
  const inputs = out === undefined ? {} : await runInputs(run);
  const journal = await openLibraryJournal({ out: store.out, resume, given: { ...given }, inputs });
  const started = { settings, journal, signal: signal ?? new AbortController().signal, command: "" };
  const report = await runPrune(run, plan, started);
  if (!report) throw signal!.reason;
  const compact = await loadModel(store.place("result"), { gpu });
  return { compact: settings.half ? new LoadedModel({ ...compact, dtype: "F16" }, false) : compact, report };
}
