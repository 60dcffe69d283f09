import type { Checkpoint } from "../model/checkpoint/read.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { isBetter, readModel, type Score, scoreOf } from "./best.ts";
import type { BatchScores } from "./evaluate.ts";
import { FinetuneTrainer, type FinetuneTrainerOptions, type StepRecord, type Trainer } from "./trainer.ts";
import { MetricsLog } from "./metrics.ts";
import { type BatchPosition, type BatchSource, type MicroBatch, START } from "./micro_batch.ts";
import type { Progress } from "./progress.ts";
import { type FoundState, saveRunState } from "./run_state.ts";
import { scheduleOf, type ScheduleOptions } from "./schedule.ts";
import { takeSteps } from "./take_steps.ts";

/** Options of {@linkcode runLoop}. */
export interface LoopOptions extends Omit<ScheduleOptions, "kind"> {
  /** Shape of the learning rate; `tri-stage` unless given. */
  readonly schedule?: ScheduleOptions["kind"];
  /** Peak learning rate of the weights. */
  readonly lr: number;
  /** Clips to learn from. */
  readonly source: BatchSource;
  /** Clips to evaluate on. */
  readonly dev?: () => AsyncIterable<MicroBatch>;
  /** Turns tokens into text; needed to evaluate a CTC model. */
  readonly tokenizer?: CtcTokenizer | null;
  /** Folder for `metrics.jsonl` and `state/`; it must be there. */
  readonly out: string;
  /** Seed of dropout and layer drop, a whole number below 2^32. */
  readonly seed: number;
  /** Micro-batches of a step; 1 unless given. */
  readonly gradAccumSteps?: number;
  /** Norm that gradients are scaled down to; 5 unless given. */
  readonly maxGradNorm?: number;
  /** Steps between evaluations; 200 unless given. */
  readonly evalEvery?: number;
  /** Steps between states on disk; 100 unless given. */
  readonly saveEvery?: number;
  /** Evaluations without a better one after which the run ends; it goes on to the end unless given. */
  readonly patience?: number;
  /** State to go on from; its tensors are gone then. */
  readonly resume?: FoundState | null;
  /** More to keep in `run.json`. */
  readonly info?: Readonly<Record<string, unknown>>;
  /** Shows how far the run is. */
  readonly progress?: Progress | null;
  /** Ends the run after a step, with its state on disk. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode finetune}. */
export interface FinetuneOptions extends FinetuneTrainerOptions, LoopOptions {
  /** Device. */
  readonly gpu: Gpu;
  /** Model to start from, dense or compact, with a head. */
  readonly checkpoint: Checkpoint;
}

/** How a run ended. */
export interface FinetuneResult {
  /** Steps done. */
  readonly steps: number;
  /** Why it ended: all steps were done, patience was at its end, or the signal came. */
  readonly ended: "steps" | "patience" | "signal";
  /** Best evaluation; null without clips to evaluate on. */
  readonly best: Score | null;
  /** Seconds of audio that were computed. */
  readonly audioSeconds: number;
}

/** What changes from step to step and is not on the device. */
interface RunInfo {
  position: BatchPosition;
  best: Score | null;
  /** Evaluations since the best one. */
  stale: number;
  audioSeconds: number;
  /** Seconds of all sittings. */
  seconds: number;
}

/** A step that was recorded and whose numbers are not back yet. */
interface Pending {
  readonly done: number;
  readonly result: Promise<StepRecord>;
  readonly lrScale: number;
  readonly seconds: number;
  /** Info as it was before the step. */
  readonly before: RunInfo;
}

/**
 * Trains a model on its task. What it writes to `out`: the model as Hugging Face names its files, the best one by word
 * error rate or accuracy, or the last one without clips to evaluate on; and what {@linkcode runLoop} writes.
 *
 * @throws {RangeError | TypeError | Error} As {@linkcode runLoop}.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { gpu, checkpoint, out } = options;
  using trainer = new FinetuneTrainer(new SpeechModel(gpu, checkpoint), options);
  return await runLoop(trainer, options, async () => {
    await writeCheckpoint(out, await readModel(trainer.model, checkpoint));
  });
}

/**
 * Steps, evaluations and states of a run. What it writes to `out`: `metrics.jsonl`, a line a step; `state/`, from which a
 * run goes on as if it had never stopped, to the bit.
 *
 * @param trainer What is trained; it stays the caller's.
 * @param options How long, on what, and when to evaluate and to save.
 * @param keep Keeps the model: called after each evaluation that is the best so far, or without clips to evaluate on at
 * the end.
 * @throws {RangeError} If a loss or gradient is not finite: the state of the step before is on disk then. Also if an
 * option is out of range.
 * @throws {TypeError} If the state is of another model.
 * @throws {Error} If the system refuses to write; one line. Earlier states are unharmed.
 */
export async function runLoop(
  trainer: Trainer,
  options: LoopOptions,
  keep: () => Promise<void> = () => Promise.resolve(),
): Promise<FinetuneResult> {
  const { gradAccumSteps = 1, maxGradNorm = 5, evalEvery = 200, saveEvery = 100, patience = Infinity } =
    options;
  const { out, steps, seed, lr, resume = null, progress = null } = options;
  const rate = scheduleOf({ ...options, kind: options.schedule ?? "tri-stage" });
  let info: RunInfo = { position: START, best: null, stale: 0, audioSeconds: 0, seconds: 0 };
  let done = resume?.step ?? 0;
  if (resume) {
    trainer.restore(resume.tensors, done);
    resume.tensors.clear();
    info = { ...info, ...resume.info["run"] as RunInfo };
  }
  const begun = performance.now() - info.seconds * 1000;
  const save = async (step: number, run: RunInfo): Promise<string> => {
    const info = { ...options.info, run };
    return await saveRunState(`${out}/state`, { step, info, tensors: trainer.snapshot() });
  };
  if (!resume) await save(0, info);
  using log = await MetricsLog.open(`${out}/metrics.jsonl`, done);
  progress?.restart(done);

  /** Waits for a step's numbers. */
  const settle = async ({ done, result, lrScale, seconds, before }: Pending) => {
    const { loss, gradNorm, metrics = {}, shown = {} } = await result;
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      // All is still as it was before the step: neither it nor those begun since have changed anything.
      trainer.rewind(done - 1);
      const path = await save(done - 1, before);
      throw new RangeError(
        `Cannot go on training as loss and gradient must be finite: step ${done} has loss ${loss} and gradient ` +
          `norm ${gradNorm}, the state before it is in ${path}`,
      );
    }
    const elapsed = Math.round(performance.now() - begun) / 1000;
    log.write({
      step: done,
      loss,
      grad_norm: gradNorm,
      lr: lr * lrScale,
      audio: seconds,
      seconds: elapsed,
      ...metrics,
    });
    progress?.update({
      step: done,
      loss,
      audioSeconds: seconds,
      fields: { ...shown, ...bestField(info.best) },
    });
  };
  /** Evaluates, and keeps the model if it is the best so far. */
  const evaluate = async () => {
    const scores = await trainer.evaluate(options.dev!(), {
      tokenizer: options.tokenizer ?? null,
      resamples: 0,
    });
    const score = scoreOf(done, scores);
    const better = isBetter(score, info.best);
    info = { ...info, best: better ? score : info.best, stale: better ? 0 : info.stale + 1 };
    if (better) await keep();
    const rates = ratesOf(scores);
    log.write({ step: done, dev_loss: scores.loss, ...rates, best: better });
    const shown = Object.entries(rates).map(([name, value]) => `${name} ${(100 * value).toFixed(2)} %`);
    progress?.note(
      `step ${done}: dev ${shown.join(", ")}, loss ${scores.loss.toPrecision(4)}${better ? " (best)" : ""}`,
    );
    progress?.restart(done);
  };

  let ended: FinetuneResult["ended"] = "steps";
  let pending: Pending | null = null;
  await using feed = takeSteps(options.source, info.position, gradAccumSteps);
  while (done < steps && ended === "steps" && info.stale < patience) {
    const { batches, next } = await feed.take();
    const lrScale = rate(done);
    const result = trainer.step(batches, { seed, step: done, lrScale, maxGradNorm });
    result.catch(() => {}); // thrown when it is awaited
    const seconds = batches.reduce((sum, batch) => sum + batch.seconds, 0);
    const before = info;
    done++;
    info = { ...info, position: next, audioSeconds: info.audioSeconds + seconds };
    if (pending) await settle(pending);
    pending = { done, result, lrScale, seconds, before };
    if (options.signal?.aborted) ended = "signal";
    const last = done === steps || ended === "signal";
    const evaluates = options.dev !== undefined && (done % evalEvery === 0 || done === steps);
    if (!last && !evaluates && done % saveEvery !== 0) continue;
    await settle(pending);
    pending = null;
    if (evaluates) await evaluate();
    info = { ...info, seconds: (performance.now() - begun) / 1000 };
    if (last || done % saveEvery === 0 || info.stale >= patience) await save(done, info);
  }
  if (ended === "steps" && info.stale >= patience) ended = "patience";
  if (!options.dev && ended !== "signal") await keep();
  progress?.end();
  return { steps: done, ended, best: info.best, audioSeconds: info.audioSeconds };
}

function ratesOf({ wer, cer, accuracy }: BatchScores): Record<string, number> {
  return accuracy ? { accuracy: accuracy.value } : { wer: wer!.value, cer: cer!.value };
}

/** The best evaluation so far, for the progress. */
function bestField(best: Score | null): Record<string, string> {
  if (!best) return {};
  const [error] = best.order;
  return { [best.order.length > 2 ? "WER" : "errors"]: `${(100 * error!).toFixed(1)} %` };
}
