import { logAdd, Prefix, type Words } from "./beam_prefix.ts";
import { logProbabilities } from "./greedy.ts";
import type { CtcTokenizer } from "./tokenizer.ts";

/** What tells how probable words are; {@linkcode ArpaModel} is one. */
export interface LanguageModel<State> {
  /** State at the start of a text. */
  readonly start: State;
  /** Natural log-probability of a word after a state, and the state after it. */
  score(state: State, word: string): { readonly logProb: number; readonly state: State };
  /** Natural log-probability that the text ends after a state. */
  end(state: State): number;
}

/** How far the search looks, and what it prefers. */
export interface BeamOptions<State> {
  /** Prefixes kept after each frame, 100 unless given. */
  readonly width?: number;
  /** Least natural log-probability of a token that a frame adds, −5 unless given; its best one always counts. */
  readonly leastLogProb?: number;
  /** Scores words when they are complete. */
  readonly languageModel?: LanguageModel<State>;
  /** Weight of the language model, 0.5 unless given. */
  readonly alpha?: number;
  /** Bonus of a word where there is a language model, which dislikes long texts; 1 unless given. */
  readonly beta?: number;
}

/** A text that the search found. */
export interface BeamResult {
  /** The words, joined by spaces. */
  readonly text: string;
  /** Its tokens, without blanks; `alignTokens` places them in time. */
  readonly ids: readonly number[];
  /** Natural log of the probability of these tokens, summed over all paths that the search kept. */
  readonly logProb: number;
  /** `logProb` + alpha · language model + beta · words: what results are ordered by. */
  readonly score: number;
}

/**
 * CTC prefix beam search (Hannun, Maas, Jurafsky and Ng, "First-pass large vocabulary continuous speech recognition
 * using bi-directional recurrent DNNs", 2014), with the score ln P(tokens) + alpha · ln P(words) + beta · words.
 *
 * @param logits [T, V] raw outputs of the CTC head, of one clip, without padding.
 * @param frames T.
 * @returns The texts found, best first: one at least, `width` at most.
 * @throws {TypeError} If the logits are not T rows of the vocabulary's size.
 * @throws {RangeError} If a logit is not a number, or the width is no whole number from 1.
 *
 * @example
 * ```ts
 * import { beamSearch } from "./beam_search.ts";
 * import { parseTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2 }' });
 * // Blank is the best token of both frames, yet "A" the best text: its three paths sum to more.
 * const logits = Float32Array.of(1, -9, 0.9, 1, -9, 0.9);
 * console.log(beamSearch(logits, 2, tokenizer)[0]?.text); // "A"
 * ```
 */
export function beamSearch<State>(
  logits: Float32Array,
  frames: number,
  tokenizer: CtcTokenizer,
  options: BeamOptions<State> = {},
): BeamResult[] {
  const { width = 100, leastLogProb = -5 } = options;
  if (!(Number.isInteger(width) && width >= 1)) {
    throw new RangeError(`Cannot search as the width must be a whole number from 1: it is ${width}`);
  }
  const V = tokenizer.size;
  const logProbs = logProbabilities(logits, frames, V);
  const scorer = new Scorer(tokenizer, options);
  let beam = [new Prefix<State>(-1, null, { word: "", bonus: 0, state: options.languageModel?.start })];
  for (let t = 0; t < frames; t++) {
    const row = logProbs.subarray(t * V, (t + 1) * V);
    const reached = new Set(beam);
    const tokens = likely(row, leastLogProb, tokenizer.padId);
    for (const prefix of beam) {
      prefix.nextBlank = logAdd(prefix.nextBlank, prefix.total + row[tokenizer.padId]!);
      if (prefix.token >= 0) {
        prefix.nextLabel = logAdd(prefix.nextLabel, prefix.label + row[prefix.token]!);
      }
      for (const token of tokens) {
        // The same token again is a new one only after a blank.
        const from = token === prefix.token ? prefix.blank : prefix.total;
        if (from === -Infinity) continue;
        let child = prefix.children.get(token);
        if (child === undefined) {
          child = new Prefix(token, prefix, scorer.extend(prefix, token));
          prefix.children.set(token, child);
        }
        child.nextLabel = logAdd(child.nextLabel, from + row[token]!);
        reached.add(child);
      }
    }
    const all = [...reached];
    for (const prefix of all) prefix.step();
    all.sort((a, b) => b.score - a.score);
    beam = all.slice(0, width);
    for (const prefix of beam) prefix.kept = true;
    for (const prefix of all.slice(width)) prefix.drop();
  }
  return beam.map((prefix) => scorer.result(prefix)).sort((a, b) => b.score - a.score);
}

/** Adds language model and bonus as words become complete. */
class Scorer<State> {
  readonly #tokenizer: CtcTokenizer;
  readonly #model: LanguageModel<State> | undefined;
  readonly #alpha: number;
  readonly #beta: number;

  constructor(tokenizer: CtcTokenizer, { languageModel, alpha = 0.5, beta = 1 }: BeamOptions<State>) {
    this.#tokenizer = tokenizer;
    this.#model = languageModel;
    this.#alpha = alpha;
    this.#beta = beta;
  }

  extend({ words }: Prefix<State>, token: number): Words<State> {
    if (token !== this.#tokenizer.delimiterId) {
      return { ...words, word: words.word + this.#tokenizer.textOf(token) };
    }
    return this.#complete(words);
  }

  result(prefix: Prefix<State>): BeamResult {
    const { bonus, state } = this.#complete(prefix.words);
    const end = state === undefined ? 0 : this.#alpha * this.#model!.end(state);
    const ids = prefix.ids();
    const text = this.#tokenizer.decode(ids, { collapse: false });
    return { text, ids, logProb: prefix.total, score: prefix.total + bonus + end };
  }

  #complete(words: Words<State>): Words<State> {
    if (this.#model === undefined || words.state === undefined || words.word === "") {
      return { ...words, word: "" };
    }
    const { logProb, state } = this.#model.score(words.state, words.word);
    return { word: "", bonus: words.bonus + this.#alpha * logProb + this.#beta, state };
  }
}

/** Tokens but the blank that are probable enough, or the most probable of all. */
function likely(row: Float64Array, least: number, blank: number): number[] {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const tokens: number[] = [];
  row.forEach((logProb, id) => {
    if (id !== blank && logProb >= Math.min(least, most)) tokens.push(id);
  });
  return tokens;
}
