import type { BatchPosition } from "../data/batching/batches.ts";

/** Utterances that are computed together, as input of the model. B utterances, S samples, T frames. */
export interface MicroBatch {
  /** Normalised samples, [B, S], padded at the end. */
  readonly inputValues: Float32Array<ArrayBuffer>;
  /** S. */
  readonly samples: number;
  /** Samples of each of the B utterances. */
  readonly lengths: readonly number[];
  /** Whether the model takes an attention mask; models with a group norm were trained without one. */
  readonly attentionMask: boolean;
  /** Tokens of each utterance, or its class index alone. */
  readonly targets: readonly (readonly number[])[];
  /** Reference text of each utterance, or the name of its class. */
  readonly references: readonly string[];
  /** Key of each utterance, the same whenever the same samples come again; null if they never do. */
  readonly keys?: readonly (string | null)[];
  /** Frames masked by SpecAugment, [B, T] of 0 and 1; null for none. */
  readonly masked: Int32Array<ArrayBuffer> | null;
  /** Seconds of audio, without padding. */
  readonly seconds: number;
}

/** Source of micro-batches. Their order depends on the position alone, so that a run can resume. */
export interface BatchSource {
  /**
   * Endless micro-batches from a position on, each with the position after it. Where `isOwn` is false for the number of micro-batches
   * before one, another process computes it: {@linkcode placeholder} stands for it.
   */
  from(
    position: BatchPosition,
    isOwn?: (index: number) => boolean,
  ): AsyncIterable<MicroBatch & { readonly next: BatchPosition }>;
  /** Bytes of utterances that are cached after so many seconds of audio; default: 0. */
  keptBytes?(seconds: number): number;
}

/** A micro-batch that another process computes: it has a number of utterances and a duration, but no audio. */
export function placeholder(utterances: number, seconds: number): MicroBatch {
  return {
    inputValues: new Float32Array(0),
    samples: 0,
    lengths: new Array<number>(utterances).fill(0),
    attentionMask: false,
    targets: [],
    references: [],
    masked: null,
    seconds,
  };
}

/** Position of the first batch. */
export const START: BatchPosition = { epoch: 0, batch: 0 };

/**
 * A source that repeats the same micro-batches.
 *
 * @param batches At least one micro-batch.
 * @throws {RangeError} If there is no micro-batch.
 */
export function repeatBatches(batches: readonly MicroBatch[]): BatchSource {
  if (batches.length === 0) {
    throw new RangeError("Cannot repeat batches as there must be at least one: found 0");
  }
  return {
    async *from({ epoch, batch }) {
      while (true) {
        const wraps = batch + 1 >= batches.length;
        const next = { epoch: epoch + Number(wraps), batch: wraps ? 0 : batch + 1 };
        yield { ...batches[batch]!, next };
        ({ epoch, batch } = next);
        await Promise.resolve();
      }
    },
  };
}
