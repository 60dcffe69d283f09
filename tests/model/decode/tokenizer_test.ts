import { assertEquals, assertThrows } from "@std/assert";
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
