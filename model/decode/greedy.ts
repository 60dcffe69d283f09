import type { CtcTokenizer } from "./tokenizer.ts";

/** A word with its place in the audio. */
export interface TimedWord {
  /** Its letters. */
  readonly text: string;
  /** Seconds from the start of the audio. */
  readonly start: number;
  /** Seconds from the start of the audio, where its last frame ends. */
  readonly end: number;
  /** Geometric mean over its tokens of each one's highest probability, 0 to 1. */
  readonly confidence: number;
}

/** What was said. */
export interface Transcript {
  /** The words, joined by spaces. */
  readonly text: string;
  /** The words in order. */
  readonly words: readonly TimedWord[];
}

/** Where frames lie in time. */
export interface TimingOptions {
  /** 0.02 unless given: 320 samples at 16 kHz. */
  readonly secondsPerFrame?: number;
  /** Time of the first frame in seconds, 0 unless given: where a window of a longer file starts. */
  readonly offset?: number;
}

/** A token of a text and the frames that show it. */
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
 * Transcribes by the most probable token of every frame: equal neighbours become one, then blanks are dropped.
 *
 * @param logits [T, V] raw outputs of the CTC head, of one clip, without padding.
 * @param frames T.
 * @throws {TypeError} If the logits are not T rows of the vocabulary's size.
 * @throws {RangeError} If a logit is not a number.
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
  const logProbs = logProbabilities(logits, frames, tokenizer.size);
  const V = tokenizer.size;
  const spans: TokenSpan[] = [];
  let last = -1;
  for (let t = 0; t < frames; t++) {
    let id = 0;
    for (let v = 1; v < V; v++) if (logProbs[t * V + v]! > logProbs[t * V + id]!) id = v;
    const logProb = logProbs[t * V + id]!;
    const span = spans.at(-1);
    if (id !== last) spans.push({ id, start: t, end: t + 1, logProb });
    else if (span) {
      spans[spans.length - 1] = { ...span, end: t + 1, logProb: Math.max(logProb, span.logProb) };
    }
    last = id;
  }
  return transcriptOf(spans.filter(({ id }) => id !== tokenizer.padId), tokenizer, options);
}

/**
 * Joins tokens to words and text. Words are split at the delimiter; special tokens are dropped.
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
  }
  close();
  return { text: words.map(({ text }) => text).join(" "), words };
}

/**
 * Natural log-probabilities of logits: each frame's softmax.
 *
 * @param logits [T, V], of which V is checked.
 * @returns [T, V] in float64.
 * @throws {TypeError} If the logits are not T rows of V numbers.
 * @throws {RangeError} If a logit is not a number, or a frame has none that is possible.
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
        `Cannot decode as logits must be numbers: frame ${t} has none, or an infinite one`,
      );
    }
    const shift = most + Math.log(sum);
    for (let v = 0; v < V; v++) row[v]! -= shift;
  }
  return logProbs;
}
