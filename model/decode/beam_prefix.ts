// The tree of prefixes that a beam search keeps.

/** What a language model knows of a prefix. */
export interface Words<State> {
  /** Characters since the last word delimiter. */
  readonly word: string;
  /** alpha · language model + beta · words, of the complete words. */
  readonly bonus: number;
  readonly state: State | undefined;
}

/** The start of a text: its last token, and the prefix before it. */
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
    readonly words: Words<State>,
  ) {
    if (parent === null) this.blank = this.total = this.score = 0;
  }

  /** Takes over what the frame has added. */
  step(): void {
    this.blank = this.nextBlank;
    this.label = this.nextLabel;
    this.nextBlank = this.nextLabel = -Infinity;
    this.total = logAdd(this.blank, this.label);
    this.score = this.total + this.words.bonus;
  }

  /** Leaves the beam. It stays in the tree while longer prefixes need it, so that a way back finds it again. */
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

  /** Its tokens. */
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
