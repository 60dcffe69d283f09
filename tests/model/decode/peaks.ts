// Logits with a known best path, for the tests of decoders.
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";

/** A tokenizer of five tokens: blank, `<s>`, word delimiter, A and B. */
export const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"<s>":1,"|":2,"A":3,"B":4}' });
/** Size of its vocabulary. */
export const V = tokenizer.size;

/** Logits whose best token in each frame is the given one, by a margin. */
export const peaks = (ids: number[], margin = 8) =>
  Float32Array.from({ length: ids.length * V }, (_, i) => i % V === ids[Math.floor(i / V)] ? margin : 0);
