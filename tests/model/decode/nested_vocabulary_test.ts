import { assertEquals, assertThrows } from "@std/assert";
import { vocabularyOf } from "../../../model/decode/nested_vocabulary.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";

const vocab = '{"eng":{"<pad>":0,"a":1},"fra":{"<pad>":0,"é":1,"a":2}}';
const tokenizerConfig = '{"target_lang":"eng","word_delimiter_token":"|"}';

Deno.test("the vocabulary of a language is that of a model of the language alone", () => {
  const french = vocabularyOf({ vocab, tokenizerConfig }, "fra");
  assertEquals(JSON.parse(french.vocab), { "<pad>": 0, "é": 1, a: 2 });
  assertEquals(JSON.parse(french.tokenizerConfig!), { word_delimiter_token: "|" });
  assertEquals(parseTokenizer({ vocab, tokenizerConfig }).tokens, ["<pad>", "a"]);
});

Deno.test("files with one vocabulary stay as they are", () => {
  const files = { vocab: '{"<pad>":0,"a":1}', tokenizerConfig };
  assertEquals(vocabularyOf(files, "fra"), files);
  assertEquals(vocabularyOf({ vocab: "{}" }), { vocab: "{}" });
});

Deno.test("a language that is not known is refused with those there are", () => {
  const many = JSON.stringify(Object.fromEntries([..."abcdefghij"].map((name) => [name, { "<pad>": 0 }])));
  const refuses = (vocab: string, language: string | undefined, message: string) =>
    assertThrows(() => vocabularyOf({ vocab }, language), RangeError, message);
  refuses(vocab, "deu", "Cannot read vocab.json as its language must be known: deu is not one of eng, fra");
  refuses(vocab, undefined, "none is given of eng, fra");
  refuses(many, "constructor", "constructor is not one of a, b, c, d, e, f, g, h and 2 more");
});
