import { type Communicator, isRoot } from "../comm/communicator.ts";
import type { BatchPosition } from "../data/batching/batches.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { DeviceError } from "../tensor/device_errors.ts";
import { printableName } from "../files/printable.ts";
import { isBetter, type Score, scoreOf } from "./best.ts";
import type { BatchScores } from "./evaluate.ts";
import { isFiniteStep } from "./finite_step.ts";
import { MetricsLog, type MetricsRecord } from "./metrics.ts";
import { type MicroBatch, START } from "./micro_batch.ts";
import type { ProgressSink } from "./progress.ts";
import { type FoundState, saveRunState } from "./run_state.ts";
import { requireSameState } from "./same_state.ts";
import type { StepRecord, Trainer } from "./trainer.ts";

/** Options of {@linkcode Session}. */
export interface SessionOptions {
  /** Peak learning rate of the weights. */
  readonly lr: number;
  /** Folder for `metrics.jsonl` and `state/`, which must exist; null: nothing is written, as by ranks other than 0. */
  readonly out: string | null;
  /** Called with every line of the metrics. */
  readonly onMetrics?: (record: MetricsRecord) => void;
  /** Utterances to evaluate on. */
  readonly dev?: () => AsyncIterable<MicroBatch>;
  /** Decodes tokens; a CTC model needs it for evaluation. */
  readonly tokenizer?: CtcTokenizer | null;
  /** Saved state to resume from. Its tensors are removed from it once they are restored. */
  readonly resume?: FoundState | null;
  /** More to save in `run.json`. */
  readonly info?: Readonly<Record<string, unknown>>;
  /** Whether the best model is kept, and shown as the best; default: false, as while it is pruned further. */
  readonly keepsBest?: boolean;
  /** Receives the progress. */
  readonly progress?: ProgressSink | null;
  /** Processes that train together, of which rank 0 evaluates; default: this one alone. */
  readonly comm?: Communicator | null;
}

/** The part of a run's state that is not on the device; it is saved in `run.json`. */
export interface RunInfo {
  /** Position in the data. */
  readonly position: BatchPosition;
  /** Best evaluation; null before the first. */
  readonly best: Score | null;
  /** Evaluations since the best one. */
  readonly stale: number;
  /** Seconds of audio, in all sessions. */
  readonly audioSeconds: number;
  /** Wall time in seconds, of all sessions. */
  readonly seconds: number;
}

/**
 * The part of a saved state that is not on the device.
 *
 * @throws {TypeError} If a field has another type; one line.
 */
export function runInfoOf({ path, info }: FoundState): RunInfo {
  const run = info["run"] as RunInfo | null;
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isScore = (best: Score) =>
    count(best.step) && Array.isArray(best.order) && best.order.every(Number.isFinite);
  const fits = typeof run === "object" && run !== null && count(run.position?.epoch) &&
    count(run.position.batch) &&
    count(run.stale) && Number.isFinite(run.audioSeconds) && Number.isFinite(run.seconds) &&
    (run.best === null || typeof run.best === "object" && isScore(run.best));
  if (fits) return run;
  throw new TypeError(
    `Cannot resume from ${printableName(path)} as run.json must have the progress of a run: it has not`,
  );
}

/** A step whose results have not been read yet. */
interface PendingStep {
  /** Steps done with it. */
  readonly done: number;
  readonly result: Promise<StepRecord>;
  readonly lrScale: number;
  readonly audioSeconds: number;
  /** Info as it was before the step. */
  readonly before: RunInfo;
}

/** A step that was begun. */
export interface BegunStep {
  readonly result: Promise<StepRecord>;
  readonly lrScale: number;
  /** Seconds of audio in it. */
  readonly audioSeconds: number;
  /** Position in the data after it. */
  readonly next: BatchPosition;
}

/** A session of a run, which starts at step 0 or at a saved state: counts steps, and writes metrics and states. */
export class Session {
  readonly #trainer: Trainer;
  readonly #options: SessionOptions;
  readonly #log: MetricsLog | null;
  readonly #started: number;
  #info: RunInfo;
  #done: number;
  #pending: PendingStep | null = null;
  #saved: { readonly step: number; readonly path: string | null };

  private constructor(
    trainer: Trainer,
    options: SessionOptions,
    { log, done, info, path }: { log: MetricsLog | null; done: number; info: RunInfo; path: string | null },
  ) {
    this.#trainer = trainer;
    this.#options = options;
    this.#log = log;
    this.#done = done;
    this.#info = info;
    this.#saved = { step: done, path };
    this.#started = performance.now() - info.seconds * 1000;
  }

  /**
   * Restores the trainer from a saved state, or saves the state of step 0, and opens the metrics.
   *
   * @throws {TypeError} If the state is of another model.
   * @throws {Error} If a file cannot be written; one line.
   */
  static async open(trainer: Trainer, options: SessionOptions): Promise<Session> {
    const { out, resume = null, progress = null } = options;
    let info: RunInfo = { position: START, best: null, stale: 0, audioSeconds: 0, seconds: 0 };
    const done = resume?.step ?? 0;
    let path;
    if (resume) {
      path = resume.path;
      const runInfo = runInfoOf(resume); // checked before the device changes
      trainer.restore(resume.tensors, done);
      resume.tensors.clear();
      info = runInfo;
    } else {
      path = await saveState(trainer, options, 0, info);
    }
    const log = out === null ? null : await MetricsLog.open(`${out}/metrics.jsonl`, done);
    progress?.restart(done);
    return new Session(trainer, options, { log, done, info, path });
  }

  /** Steps done, in all sessions. */
  get done(): number {
    return this.#done;
  }

  /** Position in the data, best evaluation, and more. */
  get info(): RunInfo {
    return this.#info;
  }

  /** Counts a step that was begun, and logs the one before it, whose results are read while the device computes. */
  async add({ result, lrScale, audioSeconds, next }: BegunStep): Promise<void> {
    result.catch(() => {}); // thrown when it is awaited
    const before = this.#info;
    this.#info = { ...before, position: next, audioSeconds: before.audioSeconds + audioSeconds };
    this.#done++;
    await this.settle();
    this.#pending = { done: this.#done, result, lrScale, audioSeconds, before };
  }

  /**
   * Waits for the results of the last step, and logs them.
   *
   * @throws {RangeError} If they are not finite. The state before that step is saved then.
   */
  async settle(): Promise<void> {
    if (!this.#pending) return;
    const { done, result, lrScale, audioSeconds, before } = this.#pending;
    this.#pending = null;
    const record = await result;
    const { loss, gradNorm, metrics = {}, shown = {} } = record;
    if (!isFiniteStep(record)) {
      // Neither this step nor one begun since has changed anything.
      const path = await saveState(this.#trainer, this.#options, done - 1, before);
      await this.#options.comm?.barrier(); // no process ends before the state is on disk
      throw new RangeError(
        `Cannot continue training as loss and gradient must be finite: step ${done} has loss ${loss} and gradient ` +
          `norm ${gradNorm}${path === null ? "" : `, the state before it is in ${path}`}`,
      );
    }
    const { lr, progress = null, keepsBest = false } = this.#options;
    this.#write({
      step: done,
      loss,
      grad_norm: gradNorm,
      lr: lr * lrScale,
      audio: audioSeconds,
      seconds: Math.round(performance.now() - this.#started) / 1000,
      ...metrics,
    });
    progress?.update({
      step: done,
      loss,
      audioSeconds,
      fields: { ...shown, ...keepsBest && bestField(this.#info.best) },
    });
  }

  /** Evaluates the model and logs the scores. @returns Whether it is the best so far. */
  async evaluate(): Promise<boolean> {
    const { comm = null } = this.#options;
    if (!comm) return await this.#evaluate();
    const better = isRoot(comm) && await this.#evaluate();
    await comm.barrier();
    const shared = Float64Array.of(Number(better), this.#info.stale);
    await comm.broadcast(shared);
    this.#info = { ...this.#info, stale: shared[1]! };
    return shared[0] === 1;
  }

  async #evaluate(): Promise<boolean> {
    const { dev, tokenizer = null, progress = null, keepsBest = false } = this.#options;
    const scores = await this.#trainer.evaluate(dev!(), { tokenizer, resamples: 0 });
    const score = scoreOf(this.#done, scores);
    const { best, stale } = this.#info;
    const better = isBetter(score, best);
    this.#info = { ...this.#info, best: better ? score : best, stale: better ? 0 : stale + 1 };
    const rates = ratesOf(scores);
    this.#write({ step: this.#done, dev_loss: scores.loss, ...rates, best: better });
    const shown = Object.entries(rates).map(([name, value]) => {
      return `${name === "accuracy" ? name : name.toUpperCase()} ${(100 * value).toFixed(2)} %`;
    });
    const loss = scores.loss.toPrecision(4);
    progress?.note(
      `step ${this.#done}: dev ${shown.join(", ")}, loss ${loss}${better && keepsBest ? " (best)" : ""}`,
    );
    progress?.restart(this.#done);
    return better;
  }

  /**
   * Saves the state; no step may be pending.
   *
   * @throws {Error} If a process has other weights than rank 0; one line that names it.
   */
  async save(): Promise<void> {
    const { comm = null } = this.#options;
    if (comm) await requireSameState(comm, this.#trainer.snapshot());
    this.#info = { ...this.#info, seconds: (performance.now() - this.#started) / 1000 };
    const path = await saveState(this.#trainer, this.#options, this.#done, this.#info);
    this.#saved = { step: this.#done, path };
  }

  /** The error of a device that failed, with the last state on disk; any other error as it is. */
  withSavedState(error: unknown): unknown {
    const { step, path } = this.#saved;
    if (!(error instanceof DeviceError) || path === null) return error;
    const what = error.message.replace(/\.?\s*$/, "");
    return new DeviceError(`${what} (the state of step ${step} is in ${path})`, { cause: error });
  }

  #write(record: MetricsRecord): void {
    this.#log?.write(record);
    this.#options.onMetrics?.(record);
  }

  /** Closes the metrics. */
  [Symbol.dispose](): void {
    this.#log?.close();
  }
}

/** Saves the state of a run. @returns Its folder; null for a run without one. */
async function saveState(
  trainer: Trainer,
  { out, info }: SessionOptions,
  step: number,
  run: RunInfo,
): Promise<string | null> {
  if (out === null) return null;
  return await saveRunState(`${out}/state`, { step, info: { ...info, run }, tensors: trainer.snapshot() });
}

function ratesOf({ wer, cer, accuracy }: BatchScores): Record<string, number> {
  return accuracy ? { accuracy: accuracy.value } : { wer: wer!.value, cer: cer!.value };
}

/** The best evaluation so far, for the progress line. */
function bestField(best: Score | null): Record<string, string> {
  if (!best) return {};
  const [error] = best.order;
  return { [best.order.length > 2 ? "WER" : "errors"]: `${(100 * error!).toFixed(1)} %` };
}
