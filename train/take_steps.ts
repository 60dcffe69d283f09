import type { BatchPosition, BatchSource, MicroBatch } from "./micro_batch.ts";

/** The micro-batches of a step. */
export interface StepBatches {
  /** As many as a step accumulates. */
  readonly batches: readonly MicroBatch[];
  /** Where the next step begins. */
  readonly next: BatchPosition;
}

/** The micro-batches of a source, a step at a time; those of the next step are made meanwhile. */
export interface StepFeed extends AsyncDisposable {
  /** The next step's. @throws {Error} What the source throws. */
  take(): Promise<StepBatches>;
}

/**
 * Takes micro-batches for steps.
 *
 * @param source Where they come from.
 * @param position Where to begin.
 * @param count Micro-batches of a step, from 1.
 * @throws {RangeError} If the count is none.
 */
export function takeSteps(source: BatchSource, position: BatchPosition, count: number): StepFeed {
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(
      `Cannot train as a step accumulates a whole number of batches from 1: found ${count}`,
    );
  }
  const iterator = source.from(position)[Symbol.asyncIterator]();
  const make = async (): Promise<StepBatches> => {
    const batches: MicroBatch[] = [];
    let next = position;
    while (batches.length < count) {
      const { done, value } = await iterator.next();
      if (done) {
        throw new RangeError("Cannot train as the source of batches must have no end: it has come to one");
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
