// CTC beam search with an optional language model.
import { logAdd, Prefix, type WordState } from "./beam_prefix.ts";
import { logProbabilities } from "./greedy.ts";
import type { CtcTokenizer } from "./tokenizer.ts";

/** A word-level language model, such as {@linkcode ArpaModel}. */
export interface LanguageModel<State> {
  /** State at the start of a text. */
  readonly start: State;
  /** Returns the natural log-probability of a word in a state, and the next state. */
  score(state: State, word: string): { readonly logProb: number; readonly state: State };
  /** Natural log-probability of the end of the text in a state. */
  end(state: State): number;
  /** Its vocabulary, if it is known. */
  words?(): Iterable<string>;
}

/** Options of {@linkcode beamSearch}. */
export interface BeamOptions<State> {
  /** Prefixes kept after each frame; default 100. */
  readonly width?: number;
  /** Tokens of a frame with a lower natural log-probability are skipped, except the best; default −5. */
  readonly leastLogProb?: number;
  /** Scores complete words; default: none. */
  readonly languageModel?: LanguageModel<State>;
  /** Weight of the language model; default 0.5. */
  readonly alpha?: number;
  /** Bonus per word with a language model, which favours short texts; default 1. */
  readonly beta?: number;
}

/** A hypothesis of the search. */
export interface BeamResult {
  /** The words, joined by spaces. */
  readonly text: string;
  /** Token ids, without blanks. */
  readonly ids: readonly number[];
  /** Natural log-probability of these tokens, summed over the paths in the beam. */
  readonly logProb: number;
  /** `logProb` + alpha · language model + beta · words. Results are sorted by it. */
  readonly score: number;
}

/**
 * CTC prefix beam search (Hannun, Maas, Jurafsky and Ng, "First-pass large vocabulary continuous speech recognition
 * using bi-directional recurrent DNNs", 2014), with the score ln P(tokens) + alpha · ln P(words) + beta · words.
 *
 * @param logits [T, V] logits of a CTC head for one utterance, without padding.
 * @param frames Number of frames T.
 * @returns Hypotheses, best first: at least one, at most `width`.
 * @throws {TypeError} If the logits are not T rows of the size of the vocabulary.
 * @throws {RangeError} If a logit is NaN or infinite, or the width is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { beamSearch } from "./beam_search.ts";
 * import { parseTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2 }' });
 * // Blank is the best token of both frames, but "A" is the best text: its three paths have a higher sum.
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
    const tokens = likelyTokens(row, leastLogProb, tokenizer.padId);
    for (const prefix of beam) {
      prefix.nextBlank = logAdd(prefix.nextBlank, prefix.total + row[tokenizer.padId]!);
      if (prefix.token >= 0) {
        prefix.nextLabel = logAdd(prefix.nextLabel, prefix.label + row[prefix.token]!);
      }
      for (const token of tokens) {
        // A repeated token is a new one only after a blank.
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

/** Scores complete words with language model and bonus. */
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

  extend({ words }: Prefix<State>, token: number): WordState<State> {
    if (token === this.#tokenizer.delimiterId) return this.#complete(words);
    const extended = { ...words, word: words.word + this.#tokenizer.textOf(token) };
    return this.#tokenizer.phonemes ? this.#complete(extended) : extended;
  }

  result(prefix: Prefix<State>): BeamResult {
    const { bonus, state } = this.#complete(prefix.words);
    const end = state === undefined ? 0 : this.#alpha * this.#model!.end(state);
    const ids = prefix.ids();
    const text = this.#tokenizer.decode(ids, { collapse: false });
    return { text, ids, logProb: prefix.total, score: prefix.total + bonus + end };
  }

  #complete(words: WordState<State>): WordState<State> {
    if (this.#model === undefined || words.state === undefined || words.word === "") {
      return { ...words, word: "" };
    }
    const { logProb, state } = this.#model.score(words.state, words.word);
    return { word: "", bonus: words.bonus + this.#alpha * logProb + this.#beta, state };
  }
}

/** Tokens other than the blank whose log-probability is high enough, or the best one. */
function likelyTokens(row: Float64Array, least: number, blank: number): number[] {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const tokens: number[] = [];
  row.forEach((logProb, id) => {
    if (id !== blank && logProb >= Math.min(least, most)) tokens.push(id);
  });
  return tokens;
}
