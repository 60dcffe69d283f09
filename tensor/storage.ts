import type { PooledBuffer } from "./pool.ts";

/** A pooled buffer with the number of tensors that share it. */
export class Storage {
  /** The buffer. */
  readonly entry: PooledBuffer;
  /** Number of tensors that share it. */
  refs = 0;
  /** Grows with every write, so that a copy of the content can be recognised as stale. */
  version = 0;

  /** Wraps a buffer that no tensor uses yet. @param entry Buffer lent by the pool. */
  constructor(entry: PooledBuffer) {
    this.entry = entry;
  }
}
