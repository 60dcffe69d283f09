import { type Communicator, isShareOf } from "../comm/communicator.ts";
import type { BatchPosition } from "../data/batching/batches.ts";
import type { BatchSource, MicroBatch } from "./micro_batch.ts";

/** Micro-batches of a step. */
export interface StepBatches {
  /** As many as gradients are accumulated over. */
  readonly batches: readonly MicroBatch[];
  /** Position of the next step. */
  readonly next: BatchPosition;
}

/** The micro-batches of a source step by step; those of the next step are prepared in the background. */
export interface StepFeed extends AsyncDisposable {
  /** Micro-batches of the next step. @throws {Error} What the source throws. */
  take(): Promise<StepBatches>;
}

/**
 * Groups the micro-batches of a source into steps.
 *
 * @param source Source of micro-batches.
 * @param position Position to start at.
 * @param count Micro-batches per step, from 1.
 * @param comm Processes that share the micro-batches of each step; default: this one has all.
 * @throws {RangeError} If the count is not a whole number from 1.
 */
export function takeSteps(
  source: BatchSource,
  position: BatchPosition,
  count: number,
  comm: Communicator | null = null,
): StepFeed {
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(
      `Cannot train as a step accumulates a whole number of batches from 1: found ${count}`,
    );
  }
  const isOwn = comm ? (index: number) => isShareOf(comm, index % count) : undefined;
  const iterator = source.from(position, isOwn)[Symbol.asyncIterator]();
  const make = async (): Promise<StepBatches> => {
    const batches: MicroBatch[] = [];
    let next = position;
    while (batches.length < count) {
      const { done, value } = await iterator.next();
      if (done) {
        throw new RangeError("Cannot train as the source of batches must be endless: it has ended");
      }
      batches.push(value);
      next = value.next;
    }
    return { batches, next };
  };
  let upcoming: Promise<StepBatches> | null = null;
  return {
    async take() {
      const batches = await (upcoming ?? make());
      upcoming = make();
      upcoming.catch(() => {}); // thrown when it is taken
      return batches;
    },
    async [Symbol.asyncDispose]() {
      await upcoming?.catch(() => {});
      await iterator.return?.();
    },
  };
}
