import { logProbabilities, type TokenSpan } from "./greedy.ts";

/**
 * Forced alignment: finds the most probable CTC path of the given tokens (Viterbi).
 *
 * @param logits [T, V] logits of a CTC head for one utterance, without padding.
 * @param frames Number of frames T.
 * @param ids L tokens, without blanks.
 * @param vocabSize Size of the vocabulary V.
 * @param blank Id of the blank.
 * @returns The frames of every token.
 * @throws {TypeError} If the logits are not T rows of V values.
 * @throws {RangeError} If the tokens do not fit into T frames (each takes one, equal neighbours one more in
 * between), or a logit is NaN or infinite.
 *
 * @example
 * ```ts
 * import { alignTokens } from "./ctc_align.ts";
 *
 * // Frames: blank, 1, 1, 2.
 * const logits = Float32Array.of(9, 0, 0, 0, 9, 0, 0, 9, 0, 0, 0, 9);
 * console.log(alignTokens(logits, 4, [1, 2], 3, 0).map(({ start, end }) => [start, end])); // [[1, 3], [3, 4]]
 * ```
 */
export function alignTokens(
  logits: Float32Array,
  frames: number,
  ids: readonly number[],
  vocabSize: number,
  blank: number,
): TokenSpan[] {
  const logProbs = logProbabilities(logits, frames, vocabSize);
  const least = ids.length + ids.filter((id, i) => i > 0 && id === ids[i - 1]).length;
  if (least > frames) {
    throw new RangeError(
      `Cannot align as the tokens must fit into the frames: ${least} frames are required, there are ${frames}`,
    );
  }
  // States are blanks at even indices and tokens at odd ones. A transition stays, advances by one, or skips a blank.
  const states = 2 * ids.length + 1;
  const idOf = (s: number) => s % 2 === 0 ? blank : ids[(s - 1) / 2]!;
  const skips = (s: number) => s % 2 === 1 && s > 1 && idOf(s) !== idOf(s - 2);
  let best = new Float64Array(states).fill(-Infinity);
  let next = new Float64Array(states);
  const steps = new Uint8Array(frames * states);
  for (let t = 0; t < frames; t++) {
    for (let s = 0; s < states; s++) {
      let from = t === 0 ? (s <= 1 ? 0 : -Infinity) : best[s]!;
      let step = 0;
      if (t > 0 && s > 0 && best[s - 1]! > from) [from, step] = [best[s - 1]!, 1];
      if (t > 0 && skips(s) && best[s - 2]! > from) [from, step] = [best[s - 2]!, 2];
      next[s] = from + logProbs[t * vocabSize + idOf(s)]!;
      steps[t * states + s] = step;
    }
    [best, next] = [next, best];
  }
  let state = states > 1 && best[states - 2]! > best[states - 1]! ? states - 2 : states - 1;
  const spans: TokenSpan[] = ids.map((id) => ({ id, start: frames, end: 0, logProb: -Infinity }));
  for (let t = frames - 1; t >= 0; t--) {
    if (state % 2 === 1) {
      const place = (state - 1) / 2;
      const { id, end, logProb } = spans[place]!;
      const here = logProbs[t * vocabSize + id]!;
      spans[place] = { id, start: t, end: Math.max(end, t + 1), logProb: Math.max(logProb, here) };
    }
    state -= steps[t * states + state]!;
  }
  return spans;
}
