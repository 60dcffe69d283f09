import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  buildVocabulary,
  letterCaseOf,
  normalizeText,
  readVocabulary,
  tokenizerOf,
} from "../../../data/corpus/vocabulary.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";
import { withFolder } from "../folder.ts";

Deno.test("normalizeText writes as LibriSpeech does", () => {
  const cases = {
    "“Don’t stop,” he said — twice.": "DON'T STOP HE SAID TWICE",
    "  IT'S\tLATE\n": "IT'S LATE",
    "rock 'n' roll, the dogs' bowl": "ROCK N ROLL THE DOGS BOWL",
    "Größe, ﬁne, e\u0301te\u0301": "GRÖSSE FINE ÉTÉ",
    "twenty-one & 3": "TWENTY ONE 3",
    "?!": "",
  };
  for (const [text, normal] of Object.entries(cases)) assertEquals(normalizeText(text), normal);
  assertEquals(normalizeText("Größe", "lower"), "größe");
  for (const normal of Object.values(cases)) assertEquals(normalizeText(normal), normal);
});

Deno.test("a vocabulary of texts has special tokens first, then characters in order", () => {
  assertEquals(Object.keys(buildVocabulary(["BA D'A", "|"])), [
    "<pad>",
    "<s>",
    "</s>",
    "<unk>",
    "|",
    "'",
    "A",
    "B",
    "D",
  ]);
  const tokenizer = tokenizerOf(["AB C"]);
  assertEquals(tokenizer.encode("AB C"), [5, 6, 4, 7]);
  assertEquals([tokenizer.padId, tokenizer.missing("AX")], [0, ["X"]]);
  assertThrows(() => buildVocabulary([" "]), RangeError, "there are none");
});

Deno.test("the letter case is the vocabulary's", () => {
  const of = (vocab: string[]) =>
    letterCaseOf(parseTokenizer({ vocab: JSON.stringify(Object.fromEntries(vocab.map((t, i) => [t, i]))) }));
  assertEquals(of(["<pad>", "|", "A", "'"]), "upper");
  assertEquals(of(["<pad>", "|", "a", "'"]), "lower");
  assertEquals(of(["<pad>", "|", "a", "A"]), "upper");
});

Deno.test("readVocabulary takes a file or its folder, and the files beside it", () =>
  withFolder({
    "vocab.json": '{"<pad>": 0, "/": 1, "A": 2}',
    "tokenizer_config.json": '{"word_delimiter_token": "/"}',
    "bad/vocab.json": "[]",
  }, async (dir) => {
    for (const path of [dir, `${dir}/vocab.json`]) {
      assertEquals((await readVocabulary(path)).encode("A A"), [2, 1, 2]);
    }
    await assertRejects(() => readVocabulary(`${dir}/bad`), SyntaxError, `${dir}/bad/vocab.json`);
    await assertRejects(
      () => readVocabulary(`${dir}/none`),
      Error,
      `Cannot read ${dir}/none as the system refuses`,
    );
  }));
