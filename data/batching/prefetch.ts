/**
 * Prefetches the items of a generator: up to `ahead` of them are produced while earlier ones are in use. Producing them
 * must not block the thread, or prefetching happens only while the consumer waits.
 *
 * @param source Generator of the items.
 * @param ahead Maximum number of items that are ready or being produced, at least 1.
 * @returns The same items in the same order; an error is thrown in place of the item that failed.
 *
 * @example
 * ```ts
 * import { prefetch } from "./prefetch.ts";
 *
 * async function* decode(): AsyncGenerator<number> {
 *   for (let i = 0; i < 3; i++) yield await Promise.resolve(i);
 * }
 * for await (const item of prefetch(decode(), 2)) console.log(item);
 * ```
 */
export async function* prefetch<T>(source: AsyncGenerator<T>, ahead: number): AsyncGenerator<T> {
  const queue: Promise<IteratorResult<T>>[] = [];
  try {
    while (true) {
      while (queue.length < ahead) {
        // A generator processes its calls in sequence, so the order is kept.
        const item = source.next();
        item.catch(() => {});
        queue.push(item);
      }
      const { done, value } = await queue.shift()!;
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: it waits for items that are still being produced, which nobody needs any more.
    source.return(undefined).catch(() => {});
  }
}
