// N-grams as nodes of a tree: a node and a word id give the node of the n-gram extended by that word. Models have millions of
// nodes, so they are in typed arrays, which grow with the content and not by the counts that a file announces.

/** Node id for a missing n-gram. */
export const NONE = -1;

/** A tree of n-grams with log10 probability and backoff weight of each. */
export class NgramTable {
  /** Log10 probability by node; NaN for a prefix of longer n-grams that is not an n-gram itself. */
  probs: Float32Array<ArrayBuffer> = new Float32Array(64);
  /** Log10 backoff weight by node. */
  backoffs: Float32Array<ArrayBuffer> = new Float32Array(64);
  /** Number of nodes. */
  size = 0;
  // Hash table with open addressing: the key of a slot is node · words + word, or −1.
  #keys = new Float64Array(128).fill(NONE);
  #nodes = new Int32Array(128);
  #words = 1;

  /** Sets the number of words, once all are added as the first nodes: their ids are their nodes. */
  set words(count: number) {
    this.#words = count;
  }

  /** Adds a node without an edge to it. */
  add(prob: number, backoff: number): number {
    if (this.size === this.probs.length) {
      this.probs = grown(this.probs);
      this.backoffs = grown(this.backoffs);
    }
    this.probs[this.size] = prob;
    this.backoffs[this.size] = backoff;
    return this.size++;
  }

  /** Node of a node extended by a word, or {@linkcode NONE}. */
  get(node: number, word: number): number {
    const slot = this.#slotOf(node * this.#words + word);
    return this.#keys[slot] === NONE ? NONE : this.#nodes[slot]!;
  }

  /** Adds the node of a node extended by a word, which must not exist yet. */
  extend(node: number, word: number, prob: number, backoff: number): number {
    if (this.size * 2 > this.#keys.length) this.#rehash();
    const key = node * this.#words + word;
    const slot = this.#slotOf(key);
    const child = this.add(prob, backoff);
    this.#keys[slot] = key;
    this.#nodes[slot] = child;
    return child;
  }

  #slotOf(key: number): number {
    const mask = this.#keys.length - 1;
    const mixed = Math.imul(key | 0, 0x9e3779b1) ^ Math.imul(Math.floor(key / 2 ** 32), 0x85ebca6b);
    let slot = (mixed ^ mixed >>> 15) & mask;
    while (this.#keys[slot] !== NONE && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #rehash(): void {
    const [keys, nodes] = [this.#keys, this.#nodes];
    this.#keys = new Float64Array(2 * keys.length).fill(NONE);
    this.#nodes = new Int32Array(2 * keys.length);
    keys.forEach((key, i) => {
      if (key === NONE) return;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      this.#nodes[slot] = nodes[i]!;
    });
  }
}

function grown(array: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(2 * array.length);
  larger.set(array);
  return larger;
}
