/** A place in the sequence of batches, as the data layer numbers it; it goes into the run state. */
export interface BatchPosition {
  /** Passes over the corpus that are complete. */
  readonly epoch: number;
  /** Batches of this pass that are done. */
  readonly batch: number;
}

/** Clips that the device computes at once, ready for the model. */
export interface MicroBatch {
  /** Normalised samples, [B, S], padded at the end. */
  readonly inputValues: Float32Array<ArrayBuffer>;
  /** S. */
  readonly samples: number;
  /** Samples of each of the B clips. */
  readonly lengths: readonly number[];
  /** Whether the model is told the lengths; models with a group norm were trained without. */
  readonly attentionMask: boolean;
  /** Of each clip its tokens, or its class alone. */
  readonly targets: readonly (readonly number[])[];
  /** Of each clip the text to compare with, or the name of its class. */
  readonly references: readonly string[];
  /** Of each clip a name that the same audio has whenever it comes again; null if it will not. None unless given. */
  readonly keys?: readonly (string | null)[];
  /** Frames that SpecAugment masks, [B, T] of 0 and 1; null for none. */
  readonly masked: Int32Array<ArrayBuffer> | null;
  /** Audio of the clips, without padding. */
  readonly seconds: number;
}

/** Micro-batches in an order that depends on nothing but where it begins. */
export interface BatchSource {
  /** The micro-batches from a place on, each with the place behind it, without end. */
  from(position: BatchPosition): AsyncIterable<MicroBatch & { readonly next: BatchPosition }>;
  /** Bytes of clips that are kept when so many seconds of audio have been used; none unless given. */
  keptBytes?(seconds: number): number;
}

/** The beginning. */
export const START: BatchPosition = { epoch: 0, batch: 0 };

/**
 * A source that gives the same micro-batches again and again.
 *
 * @param batches At least one.
 * @throws {RangeError} If there is none.
 */
export function repeatBatches(batches: readonly MicroBatch[]): BatchSource {
  if (batches.length === 0) throw new RangeError("Cannot repeat batches as there must be one: found none");
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
