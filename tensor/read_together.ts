/** Bytes that are read back at once: enough to keep the device busy, and few beside a model. */
export const TOGETHER = 2 ** 26;

/**
 * Reads things one after the other, some at once, so that only these are on the host while the caller works through them.
 *
 * @param things What to read.
 * @param bytesOf Bytes of a thing.
 * @param read Reads a thing.
 * @returns What was read, in order.
 *
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { readTogether } from "./read_together.ts";
 *
 * using gpu = await requestGpu();
 * const tensors = [gpu.tensor([1]), gpu.tensor([2])];
 * for await (const numbers of readTogether(tensors, ({ size }) => size * 4, (x) => x.read())) console.log(numbers);
 * ```
 */
export async function* readTogether<T, R>(
  things: Iterable<T>,
  bytesOf: (thing: T) => number,
  read: (thing: T) => Promise<R>,
): AsyncGenerator<R> {
  let pending: Promise<R>[] = [];
  let bytes = 0;
  for (const thing of things) {
    pending.push(read(thing));
    bytes += bytesOf(thing);
    if (bytes < TOGETHER) continue;
    yield* await Promise.all(pending);
    pending = [];
    bytes = 0;
  }
  yield* await Promise.all(pending);
}
