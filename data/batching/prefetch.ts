/**
 * Runs ahead of whoever takes the items: up to `ahead` of them are made while earlier ones are in use. Making them must
 * not block the thread, or else it runs ahead only while the taker waits.
 *
 * @param source Where the items come from.
 * @param ahead Items that may be ready or in the making, at least 1.
 * @returns The same items in the same order; an error comes where the failing item would.
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
        // A generator answers one call after the other, so that the order is kept.
        const item = source.next();
        item.catch(() => {});
        queue.push(item);
      }
      const { done, value } = await queue.shift()!;
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: it waits for what is still in the making, which may be of no use any more.
    source.return(undefined).catch(() => {});
  }
}
