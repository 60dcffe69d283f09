/** Bytes that are read back at a time: enough to keep the device busy, little compared with a model. */
export const TOGETHER = 2 ** 26;

/**
 * Reads a sequence in batches of about 64 MiB, so that only one batch is on the host while the caller works through it.
 *
 * @param things Items to read.
 * @param bytesOf Bytes of an item.
 * @param read Reads an item.
 * @returns The results, in order.
 *
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { readTogether } from "./read_together.ts";
 *
 * using gpu = await requestGpu();
 * const tensors = [gpu.tensor([1]), gpu.tensor([2])];
 * for await (const data of readTogether(tensors, ({ bytes }) => bytes, (x) => x.read())) console.log(data);
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
