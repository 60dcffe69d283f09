// Prefix tree of beam search.

/** State of the language model for a prefix. */
export interface WordState<State> {
  /** Characters since the last word delimiter. */
  readonly word: string;
  /** alpha · language model + beta · words, over the complete words. */
  readonly bonus: number;
  readonly state: State | undefined;
}

/** A prefix of token ids: its last token, and the prefix before it. */
export class Prefix<State> {
  readonly children = new Map<number, Prefix<State>>();
  kept = true;
  /** Log-probability of the paths that end in a blank, and of those that end in the last token. */
  blank = -Infinity;
  label = -Infinity;
  nextBlank = -Infinity;
  nextLabel = -Infinity;
  total = -Infinity;
  score = -Infinity;

  constructor(
    readonly token: number,
    readonly parent: Prefix<State> | null,
    readonly words: WordState<State>,
  ) {
    if (parent === null) this.blank = this.total = this.score = 0;
  }

  /** Makes the log-probabilities of the next frame the current ones. */
  step(): void {
    this.blank = this.nextBlank;
    this.label = this.nextLabel;
    this.nextBlank = this.nextLabel = -Infinity;
    this.total = logAdd(this.blank, this.label);
    this.score = this.total + this.words.bonus;
  }

  /** Removes the prefix from the beam. It stays in the tree while longer prefixes depend on it, and may be reached again. */
  drop(): void {
    this.kept = false;
    this.blank = this.label = -Infinity;
    this.total = this.score = -Infinity;
    let { token, parent } = this as Prefix<State>;
    let leaf = this.children.size === 0;
    while (leaf && parent !== null) {
      parent.children.delete(token);
      leaf = !parent.kept && parent.children.size === 0;
      ({ token, parent } = parent);
    }
  }

  /** Token ids of the prefix. */
  ids(): number[] {
    const ids = this.parent === null ? [] : [this.token];
    for (let prefix = this.parent; prefix?.parent; prefix = prefix.parent) ids.push(prefix.token);
    return ids.reverse();
  }
}

/** ln(eᵃ + eᵇ). */
export function logAdd(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most));
}
