// This folder trains models: the loop is here, the other files have its parts: data, step, optimizer, evaluation, saved state.

import { type Communicator, isRoot } from "../comm/communicator.ts";
import type { Checkpoint } from "../model/checkpoint/read.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { hostWeights } from "../model/host_weights.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { Score } from "./best.ts";
import { writeMetricsTable } from "./metrics.ts";
import type { BatchSource } from "./micro_batch.ts";
import { type Regularization, regularize } from "./regularize.ts";
import { scheduleOf, type ScheduleOptions } from "./schedule.ts";
import { Session, type SessionOptions } from "./session.ts";
import { takeSteps } from "./take_steps.ts";
import { FinetuneTrainer, type FinetuneTrainerOptions, type Trainer } from "./trainer.ts";

/** Options of {@linkcode train}. */
export interface LoopOptions extends SessionOptions, Omit<ScheduleOptions, "kind"> {
  /** Shape of the learning rate; default: `tri-stage`. */
  readonly schedule?: ScheduleOptions["kind"];
  /** Utterances to train on. */
  readonly source: BatchSource;
  /** Seed of dropout and layer drop, a whole number below 2^32. */
  readonly seed: number;
  /** Micro-batches per step; default: 1. */
  readonly gradAccumSteps?: number;
  /** Gradients are scaled down to this norm; default: 5. */
  readonly maxGradNorm?: number;
  /** Steps between evaluations; default: 200. */
  readonly evalEvery?: number;
  /** Steps between saved states; default: 100. */
  readonly saveEvery?: number;
  /** Training ends after so many evaluations without a better one; default: it does not. */
  readonly patience?: number;
  /** Ends training after the current step, with its state saved. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode trainModel}. */
export interface TrainModelOptions extends FinetuneTrainerOptions, LoopOptions {
  /** Device. */
  readonly gpu: Gpu;
  /** Model to start from, dense or compact, with a head. */
  readonly checkpoint: Checkpoint;
  /** Dropout and masks of the training; the config of the model that is kept has those of `checkpoint`. */
  readonly regularization?: Regularization;
  /** Keeps the best model so far; default: writes it to `out`. */
  readonly keep?: (best: Checkpoint) => Promise<void>;
}

/** Result of a training. */
export interface TrainingResult {
  /** Steps done. */
  readonly steps: number;
  /** Why it ended: all steps are done, there was no improvement for `patience` evaluations, or it was interrupted. */
  readonly ended: "steps" | "patience" | "signal";
  /** Best evaluation; null without utterances to evaluate on. */
  readonly best: Score | null;
  /** Seconds of audio processed. */
  readonly audioSeconds: number;
}

/**
 * Trains a model on its task. It writes to `out` what {@linkcode train} writes, and the model in the files of Hugging
 * Face: the best one by word error rate or accuracy, or the last one without utterances to evaluate on.
 *
 * @throws {RangeError | TypeError | Error} As {@linkcode train}.
 */
export async function trainModel(options: TrainModelOptions): Promise<TrainingResult> {
  const { gpu, checkpoint, out, keep = (best: Checkpoint) => writeCheckpoint(out!, best) } = options;
  const config = regularize(checkpoint.config, options.regularization ?? {});
  using trainer = new FinetuneTrainer(new SpeechModel(gpu, { ...checkpoint, config }), options);
  return await train(trainer, options, async () => {
    await keep({ ...checkpoint, tensors: await hostWeights(trainer.model, checkpoint.tensors.keys()) });
  });
}

/**
 * The training loop. It writes to `out`, unless that is null: `metrics.jsonl`, a line per step; at the end, the same as the table `metrics.csv`; `state/`, from which an
 * interrupted run resumes with the same bits as if it had never stopped.
 *
 * @param trainer What is trained; the caller disposes it.
 * @param options Length of the run, data, and when to evaluate and to save.
 * @param keepModel Saves the model. Called after each evaluation that is the best so far, or at the end without
 * utterances to evaluate on.
 * @throws {RangeError} If a loss or gradient is not finite: the state of the step before is saved then. Also if an option
 * is out of range.
 * @throws {TypeError} If the saved state is of another model.
 * @throws {DeviceError} If the device fails; the message names the last state on disk, from which the run resumes.
 * @throws {Error} If a file cannot be written; one line. Earlier states are unharmed.
 */
export async function train(
  trainer: Trainer,
  options: LoopOptions,
  keepModel?: () => Promise<void>,
): Promise<TrainingResult> {
  const lrScaleAt = scheduleOf({ ...options, kind: options.schedule ?? "tri-stage" });
  using session = await Session.open(trainer, { ...options, keepsBest: keepModel !== undefined });
  try {
    return await runLoop(trainer, session, { ...options, lrScaleAt, keepModel });
  } catch (error) {
    throw session.withSavedState(error);
  }
}

async function runLoop(
  trainer: Trainer,
  session: Session,
  { lrScaleAt, keepModel, ...options }: LoopOptions & {
    lrScaleAt: (step: number) => number;
    keepModel: (() => Promise<void>) | undefined;
  },
): Promise<TrainingResult> {
  const { steps, seed, source, dev, signal } = options;
  const { gradAccumSteps = 1, maxGradNorm = 5, evalEvery = 200, saveEvery = 100, patience = Infinity } =
    options;
  const { comm = null } = options;
  await using feed = takeSteps(source, session.info.position, gradAccumSteps, comm);
  let interrupted = false;

  while (session.done < steps && session.info.stale < patience && !interrupted) {
    const { batches, next } = await feed.take();
    const lrScale = lrScaleAt(session.done);
    const result = trainer.step(batches, { seed, step: session.done, lrScale, maxGradNorm });
    const audioSeconds = batches.reduce((sum, batch) => sum + batch.seconds, 0);
    await session.add({ result, lrScale, audioSeconds, next });

    interrupted = await isAborted(signal, comm);
    const { done } = session;
    const evaluates = dev !== undefined && (done % evalEvery === 0 || done === steps);
    const saves = done % saveEvery === 0 || done === steps || interrupted;
    if (evaluates || saves) await session.settle();
    if (evaluates && await session.evaluate() && isRoot(comm)) await keepModel?.();
    if (saves || session.info.stale >= patience) await session.save();
  }

  if (!dev && !interrupted && isRoot(comm)) await keepModel?.();
  if (options.out !== null && isRoot(comm)) await writeMetricsTable(`${options.out}/metrics.jsonl`);
  await comm?.barrier(); // what is written is there for all
  options.progress?.end();
  const { done, info: { stale, best, audioSeconds } } = session;
  const ended = interrupted ? "signal" : stale >= patience ? "patience" : "steps";
  return { steps: done, ended, best, audioSeconds };
}

/** Whether a run ends before it is done: with several processes, whether any of them was interrupted. */
export async function isAborted(
  signal: AbortSignal | undefined,
  comm: Communicator | null,
): Promise<boolean> {
  const aborted = signal?.aborted ?? false;
  if (!comm) return aborted;
  const any = Float64Array.of(Number(aborted));
  await comm.allReduce(any, "max");
  return any[0]! > 0;
}
