import { assertEquals, assertThrows } from "@std/assert";
import { normalizeFor } from "../../../data/corpus/vocabulary.ts";
import { transcriptOf } from "../../../model/decode/greedy.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";

// As in facebook/wav2vec2-base-960h.
const LETTERS = "ETAONIHSRDLUMWCFGYPBVK'XJQZ";
const base = JSON.stringify({
  ...Object.fromEntries(["<pad>", "<s>", "</s>", "<unk>", "|", ...LETTERS].map((token, id) => [token, id])),
});

Deno.test("the tokenizer of wav2vec2-base-960h encodes and decodes", () => {
  const tokenizer = parseTokenizer({ vocab: base });
  const { size, padId, unknownId, delimiterId, notes } = tokenizer;
  assertEquals({ size, padId, unknownId, delimiterId, notes }, {
    size: 32,
    padId: 0,
    unknownId: 3,
    delimiterId: 4,
    notes: [],
  });
  const ids = tokenizer.encode("IT'S ALL");
  assertEquals(ids, [10, 6, 27, 12, 4, 7, 15, 15]);
  assertEquals(tokenizer.decode(ids), "IT'S AL");
  assertEquals(tokenizer.decode(ids, { collapse: false }), "IT'S ALL");
  assertEquals(tokenizer.decode([0, 10, 10, 0, 6, 4, 4, 0, 4, 7, 15, 0, 15, 15, 1, 2, 3, 0]), "IT ALL");
  assertEquals(tokenizer.encode("  É  a\n"), [3, 4, 3]);
  assertEquals(tokenizer.missing("É IT a a"), ["É", "a"]);
  tokenizer.checkSize(32);
});

Deno.test("special tokens, delimiter and letter case follow the files", () => {
  const vocab = '{"[PAD]":2,"A":0,"B":1,"_":3}';
  const tokenizer = parseTokenizer({
    vocab,
    tokenizerConfig: JSON.stringify({
      do_lower_case: true,
      word_delimiter_token: "_",
      pad_token: { content: "[PAD]", lstrip: false },
      added_tokens_decoder: { "4": { content: "<s>" }, "2": { content: "[PAD]" } },
    }),
    specialTokensMap: '{"unk_token":"A"}',
    addedTokens: '{"</s>":5}',
  });
  assertEquals([tokenizer.size, tokenizer.padId, tokenizer.unknownId], [6, 2, 0]);
  assertEquals(tokenizer.encode("b b"), [1, 3, 1]);
  assertEquals(tokenizer.decode([1, 2, 1, 4, 5, 3, 1]), "bb b");
  assertEquals(tokenizer.tokens, ["A", "B", "[PAD]", "_", "<s>", "</s>"]);
});

Deno.test("the longest matching token is taken", () => {
  const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"t":1,"tʃ":2,"ʃ":3,"😀":4,"|":5}' });
  assertEquals(tokenizer.encode("tʃt ʃ😀"), [2, 1, 5, 3, 4]);
  assertEquals(tokenizer.decode([2, 1, 5, 3, 4]), "tʃt ʃ😀");
});

Deno.test("phonemes are separated by spaces", () => {
  const vocab = '{"<pad>":0,"kʰ":1,"æ̃":2,"˧":3,"tʃ":4,"k":5,"ʰ":6}';
  const tokenizers = [
    parseTokenizer({ vocab }),
    parseTokenizer({
      vocab,
      tokenizerConfig: JSON.stringify({
        tokenizer_class: "Wav2Vec2PhonemeCTCTokenizer",
        word_delimiter_token: null,
        phone_delimiter_token: " ",
      }),
    }),
  ];
  for (const tokenizer of tokenizers) {
    assertEquals([tokenizer.phonemes, tokenizer.notes], [true, []]);
    const ids = tokenizer.encode(" kʰ  æ̃ k ʰ ˧ tʃ tʃ ");
    assertEquals(ids, [1, 2, 5, 6, 3, 4, 4]);
    assertEquals(tokenizer.decode([0, 1, 1, 2, 0, 2, 4, 0, 4]), "kʰ æ̃ æ̃ tʃ tʃ");
    assertEquals(tokenizer.missing("kʰ tʃtʃ æ̃ x x"), ["tʃtʃ", "x"]);
    assertThrows(() => tokenizer.encode("kʰ tʃtʃ"), RangeError, "each phoneme must be in the vocabulary");
    const words =
      transcriptOf(ids.map((id, t) => ({ id, start: t, end: t + 1, logProb: 0 })), tokenizer).words;
    assertEquals(words.map(({ text }) => text), ["kʰ", "æ̃", "k", "ʰ", "˧", "tʃ", "tʃ"]);
    assertEquals(normalizeFor(" kʰ  ˧\n", tokenizer), "kʰ ˧");
  }
  // Word delimiters between phonemes are dropped.
  const delimited = parseTokenizer({
    vocab: '{"<pad>":0,"a":1,"|":2}',
    tokenizerConfig: '{"phone_delimiter_token":" ","word_delimiter_token":"|"}',
  });
  assertEquals(delimited.decode([1, 2, 1]), "a a");
});

Deno.test("added tokens that the head has no output for are ignored", () => {
  const vocab = '{"<pad>":0,"|":1,"a":2}';
  const added_tokens_decoder = { 3: { content: "<bos>" }, 4: { content: "<eos>" } };
  for (
    const files of [
      { addedTokens: '{"<bos>":3,"<eos>":4}' },
      { tokenizerConfig: JSON.stringify({ added_tokens_decoder }) },
    ]
  ) {
    const tokenizer = parseTokenizer({ vocab, ...files });
    assertEquals([5, 4, 3].map((size) => tokenizer.trimmed(size).size), [5, 4, 3]);
    assertEquals(tokenizer.trimmed(3).tokens, ["<pad>", "|", "a"]);
    // Tokens of vocab.json stay, and checkSize refuses them.
    assertEquals(tokenizer.trimmed(2).size, 5);
  }
  const pad = parseTokenizer({ vocab: '{"a":0}', addedTokens: '{"<pad>":1}' });
  assertEquals(pad.trimmed(1).size, 2);
});

Deno.test("unused ids and a missing delimiter are noted", () => {
  const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"a":3}', name: "v.json" });
  assertEquals(tokenizer.notes, [
    "v.json has no token for 2 ids: 1, 2",
    "v.json has no word delimiter: texts are not split into words",
  ]);
  assertEquals(tokenizer.decode([1, 3, 2]), "a");
  assertThrows(
    () => tokenizer.encode("ab"),
    RangeError,
    'each character must be in the vocabulary: "b" is missing',
  );
  assertThrows(
    () => tokenizer.encode("a a"),
    RangeError,
    'each character must be in the vocabulary: " " is missing',
  );
});

Deno.test("invalid tokenizers are refused in one line", () => {
  const refused: [string, typeof Error, string][] = [
    ["", SyntaxError, "Cannot read v.json as it must be JSON"],
    ["{}", RangeError, "Cannot read v.json as it must have tokens: there are none"],
    [
      '{"a":0}',
      RangeError,
      'Cannot read v.json as the padding token, the CTC blank, must be in it: "<pad>" is missing',
    ],
    ['{"<pad>":0,"a":0}', SyntaxError, 'Cannot read v.json as ids must be unique: "a" and "<pad>" have 0'],
    ['{"<pad>":0,"a":-1}', RangeError, "Cannot read v.json as an id must be a whole number below 2^20"],
    ['{"<pad>":0,"a":1e9}', RangeError, 'that of "a" is 1000000000'],
    ['{"<pad>":0,"a":0.5}', RangeError, 'that of "a" is 0.5'],
    [
      '{"eng":{"<pad>":0}}',
      RangeError,
      "Cannot read v.json as its language must be known: none is given of eng",
    ],
    [
      '{"eng":{"<pad>":0},"a":1}',
      TypeError,
      'Cannot read v.json as each token must have an id: that of "eng" is a nested value',
    ],
    ['{"<pad>":null}', TypeError, 'that of "<pad>" is null'],
  ];
  for (const [vocab, type, message] of refused) {
    assertThrows(() => parseTokenizer({ vocab, name: "v.json" }), type, message);
  }
  const pad = '{"<pad>":0}';
  assertThrows(
    () => parseTokenizer({ vocab: pad, addedTokens: '{"b":0}' }),
    SyntaxError,
    "Cannot read added_tokens.json",
  );
  assertThrows(
    () => parseTokenizer({ vocab: pad, tokenizerConfig: "[]" }),
    SyntaxError,
    "tokenizer_config.json",
  );
  assertThrows(
    () => parseTokenizer({ vocab: pad, specialTokensMap: "1" }),
    SyntaxError,
    "special_tokens_map.json",
  );
  assertThrows(
    () => parseTokenizer({ vocab: base }).checkSize(31, "vocab.json"),
    RangeError,
    "Cannot use vocab.json as it must have as many ids as the CTC head: 32, not 31",
  );
});
