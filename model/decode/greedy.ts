// Decodes the outputs of CTC models to text: greedily here, with beam search and alignment in other files.
import type { CtcTokenizer } from "./tokenizer.ts";

/** A word with its time and confidence. */
export interface TimedWord {
  /** Text of the word. */
  readonly text: string;
  /** Start in seconds. */
  readonly start: number;
  /** End in seconds: the end of its last frame. */
  readonly end: number;
  /** Geometric mean of the highest probability of each of its tokens, 0 to 1. */
  readonly confidence: number;
}

/** A transcript. */
export interface Transcript {
  /** The words, joined by spaces. */
  readonly text: string;
  /** The words in order. */
  readonly words: readonly TimedWord[];
}

/** Times of frames. */
export interface TimingOptions {
  /** Seconds per frame; default 0.02, 320 samples at 16 kHz. */
  readonly secondsPerFrame?: number;
  /** Time of the first frame in seconds; default 0. Used for chunks of longer audio. */
  readonly offset?: number;
}

/** A token and its frames. */
export interface TokenSpan {
  /** Id of the token. */
  readonly id: number;
  /** First frame. */
  readonly start: number;
  /** Frame after the last one. */
  readonly end: number;
  /** Highest natural log-probability of the token among its frames. */
  readonly logProb: number;
}

/**
 * Greedy decoding: takes the most probable token of every frame, collapses equal neighbours and drops blanks.
 *
 * @param logits [T, V] logits of a CTC head for one utterance, without padding.
 * @param frames Number of frames T.
 * @throws {TypeError} If the logits are not T rows of the size of the vocabulary.
 * @throws {RangeError} If a logit is NaN or infinite.
 *
 * @example
 * ```ts
 * import { greedyDecode } from "./greedy.ts";
 * import { parseTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2 }' });
 * const logits = Float32Array.of(0, 0, 9, 0, 0, 9, 9, 0, 0);
 * const { text, words } = greedyDecode(logits, 3, tokenizer);
 * console.log(text, words[0]?.end); // "A" 0.04
 * ```
 */
export function greedyDecode(
  logits: Float32Array,
  frames: number,
  tokenizer: CtcTokenizer,
  options: TimingOptions = {},
): Transcript {
  const tokens = new GreedyTokens(tokenizer);
  tokens.push(logits, frames);
  return transcriptOf(tokens.all(), tokenizer, options);
}

/** The most probable tokens of frames that arrive in parts; equal neighbours are one token, across parts too. */
export class GreedyTokens {
  readonly #tokenizer: CtcTokenizer;
  /** Blanks included. */
  readonly #spans: TokenSpan[] = [];
  #frames = 0;

  /** @param tokenizer Names the blank and what ends a word. */
  constructor(tokenizer: CtcTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Appends frames. @param logits [T, V]. @param frames Number of frames T. @throws As {@linkcode greedyDecode}. */
  push(logits: Float32Array, frames: number): void {
    const spans = this.#spans;
    const V = this.#tokenizer.size;
    const logProbs = logProbabilities(logits, frames, V);
    for (let t = 0; t < frames; t++) {
      let id = 0;
      for (let v = 1; v < V; v++) if (logProbs[t * V + v]! > logProbs[t * V + id]!) id = v;
      const logProb = logProbs[t * V + id]!;
      const span = spans.at(-1);
      const at = this.#frames + t;
      if (span?.id !== id) spans.push({ id, start: at, end: at + 1, logProb });
      else spans[spans.length - 1] = { ...span, end: at + 1, logProb: Math.max(logProb, span.logProb) };
    }
    this.#frames += frames;
  }

  /** All tokens, without blanks. */
  all(): TokenSpan[] {
    return this.#spans.filter(({ id }) => id !== this.#tokenizer.padId);
  }

  /** Takes out the tokens of the words that no further frame can change. */
  takeWords(): TokenSpan[] {
    const { delimiterId, phonemes, padId } = this.#tokenizer;
    const spans = this.#spans;
    const last = phonemes ? spans.length - 1 : spans.findLastIndex(({ id }) => id === delimiterId);
    return last <= 0 ? [] : spans.splice(0, last).filter(({ id }) => id !== padId);
  }

  /** A copy that takes other frames than this. */
  clone(): GreedyTokens {
    const copy = new GreedyTokens(this.#tokenizer);
    copy.#spans.push(...this.#spans);
    copy.#frames = this.#frames;
    return copy;
  }
}

/**
 * Joins tokens to words and text. Words are split at the word delimiter, phonemes are words; special tokens are dropped.
 *
 * @param spans Tokens in order, without blanks.
 *
 * @example
 * ```ts
 * import { transcriptOf } from "./greedy.ts";
 * import { parseTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2 }' });
 * const { words } = transcriptOf([{ id: 2, start: 50, end: 55, logProb: -0.1 }], tokenizer);
 * console.log(words[0]?.start); // 1
 * ```
 */
export function transcriptOf(
  spans: readonly TokenSpan[],
  tokenizer: CtcTokenizer,
  { secondsPerFrame = 0.02, offset = 0 }: TimingOptions = {},
): Transcript {
  const words: TimedWord[] = [];
  let word: TokenSpan[] = [];
  const close = () => {
    const [first] = word;
    const last = word.at(-1);
    if (first === undefined || last === undefined) return;
    words.push({
      text: word.map(({ id }) => tokenizer.textOf(id)).join(""),
      start: offset + first.start * secondsPerFrame,
      end: offset + last.end * secondsPerFrame,
      confidence: Math.exp(word.reduce((sum, { logProb }) => sum + logProb, 0) / word.length),
    });
    word = [];
  };
  for (const span of spans) {
    if (span.id === tokenizer.delimiterId) close();
    else if (tokenizer.textOf(span.id) !== "") word.push(span);
    if (tokenizer.phonemes) close();
  }
  close();
  return { text: words.map(({ text }) => text).join(" "), words };
}

/**
 * Log-softmax of logits over the vocabulary.
 *
 * @param logits [T, V].
 * @param frames Number of frames T.
 * @param V Size of the vocabulary.
 * @returns Natural log-probabilities, [T, V], in float64.
 * @throws {TypeError} If the logits are not T rows of V values.
 * @throws {RangeError} If a logit is NaN or ∞, or all logits of a frame are −∞.
 *
 * @example
 * ```ts
 * import { logProbabilities } from "./greedy.ts";
 *
 * console.log(logProbabilities(Float32Array.of(0, 0), 1, 2)); // ln 0.5 twice
 * ```
 */
export function logProbabilities(logits: Float32Array, frames: number, V: number): Float64Array {
  if (logits.length !== frames * V) {
    throw new TypeError(
      `Cannot decode as logits must have a row of ${V} for each of ${frames} frames: there are ${logits.length}`,
    );
  }
  const logProbs = Float64Array.from(logits);
  for (let t = 0; t < frames; t++) {
    const row = logProbs.subarray(t * V, (t + 1) * V);
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((total, x) => total + Math.exp(x - most), 0);
    if (!Number.isFinite(sum)) {
      throw new RangeError(
        `Cannot decode as logits must be finite: frame ${t} is not`,
      );
    }
    const shift = most + Math.log(sum);
    for (let v = 0; v < V; v++) row[v]! -= shift;
  }
  return logProbs;
}
