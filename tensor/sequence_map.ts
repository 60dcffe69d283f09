/** An entry of a {@linkcode SequenceMap}. */
interface Entry<V> {
  readonly key: readonly number[];
  readonly value: V;
}

/**
 * A map whose keys are sequences of whole numbers. Unlike a map by strings made of them, a look-up leaves no garbage, which
 * counts where every dispatch makes one.
 *
 * @example
 * ```ts
 * import { SequenceMap } from "./sequence_map.ts";
 *
 * const map = new SequenceMap<string>();
 * map.add([1, 2], "a");
 * console.log(map.get([1, 2]), map.get([2, 1])); // a undefined
 * ```
 */
export class SequenceMap<V> {
  readonly #buckets = new Map<number, Entry<V>[]>();
  #size = 0;

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** The value of a key, or undefined. */
  get(key: readonly number[]): V | undefined {
    const bucket = this.#buckets.get(hashOf(key));
    if (bucket) {
      for (let i = 0; i < bucket.length; i++) if (areEqual(bucket[i]!.key, key)) return bucket[i]!.value;
    }
    return undefined;
  }

  /** Adds the value of a new key, which is copied. @returns The copy. */
  add(key: readonly number[], value: V): readonly number[] {
    const entry = { key: [...key], value };
    const hash = hashOf(key);
    const bucket = this.#buckets.get(hash);
    if (bucket) bucket.push(entry);
    else this.#buckets.set(hash, [entry]);
    this.#size++;
    return entry.key;
  }

  /** Removes a key, if it is there. */
  delete(key: readonly number[]): void {
    const hash = hashOf(key);
    const bucket = this.#buckets.get(hash) ?? [];
    const at = bucket.findIndex((entry) => areEqual(entry.key, key));
    if (at < 0) return;
    bucket.splice(at, 1);
    if (bucket.length === 0) this.#buckets.delete(hash);
    this.#size--;
  }

  /** Removes all entries. */
  clear(): void {
    this.#buckets.clear();
    this.#size = 0;
  }
}

function hashOf(key: readonly number[]): number {
  let hash = key.length;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ (hash >>> 15) ^ key[i]!, 0x01000193);
  return hash >> 2; // a small integer, which a map finds fastest
}

function areEqual(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
