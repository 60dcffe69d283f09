import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type ArpaModel, loadArpa, parseArpa } from "../../../model/decode/arpa.ts";
import { parseTokenizer } from "../../../model/decode/tokenizer.ts";
import { canSpellAny } from "../../../model/decode/writable_words.ts";
import { mutate } from "../../mutate.ts";
import { philox } from "../../oracle/uniform.ts";
import { assertBounded } from "../../bounded.ts";

const TINY = `Made by hand.

\\data\\
ngram 1=6
ngram 2=4
ngram 3=2

\\1-grams:
-99\t<s>\t-0.5
-1.1\t</s>
-2.5\t<unk>
-0.6\tturn\t-0.3
-0.7\ton\t-0.2
-0.9\tlight

\\2-grams:
-0.2\t<s> turn\t-0.15
-0.4\tturn on\t-0.05
-0.8\ton light
-0.3\tlight </s>

\\3-grams:
-0.1\t<s> turn on
-0.25 turn on  light

\\end\\
text after the end is ignored
`;

const log10 = (model: ArpaModel, ...words: string[]) =>
  Math.round(model.logProb(words) / Math.LN10 * 1e6) / 1e6;

Deno.test("an ARPA model uses the probabilities of the file, and backs off", () => {
  const model = parseArpa(TINY, "tiny.arpa");
  assertEquals([model.order, model.counts], [3, [6, 4, 2]]);
  assertEquals([model.has("light"), model.has("lamp")], [true, false]);
  // <s> turn -0.2, <s> turn on -0.1, turn on light -0.25, light </s> -0.3 (the weight of on light is 0)
  assertEquals(log10(model, "turn", "on", "light"), -0.85);
  // <s> + light: -0.5 - 0.9, light </s> is a bigram
  assertEquals(log10(model, "light"), -1.7);
  // <s> turn -0.2; turn by the backoffs of <s> turn and turn, -0.15 - 0.3 - 0.6; </s> by that of turn, -0.3 - 1.1
  assertEquals(
    log10(model, "turn", "turn"),
    Math.round((-0.2 + (-0.15 - 0.3 - 0.6) + (-0.3 - 1.1)) * 1e6) / 1e6,
  );
  // an out-of-vocabulary word is <unk>, which no n-gram follows
  assertEquals(log10(model, "lamp"), -4.1);
  assertEquals(log10(model), -1.6);
});

Deno.test("words of an ARPA file end at space, tab and carriage return only, as in KenLM", () => {
  for (const odd of ["\u00a0", "\u3000", "\v", "\f", "\u2003", "\u2028"]) {
    const text = TINY.replaceAll("light", odd).replaceAll("\n", "\r\n");
    const model = parseArpa(text, "odd.arpa");
    assert(model.has(odd), `U+${odd.codePointAt(0)!.toString(16)}`);
    assertEquals(log10(model, "turn", "on", odd), -0.85);
  }
});

Deno.test("words that an ARPA model lacks are scored in another letter case", () => {
  const lower = parseArpa(TINY, "tiny.arpa");
  const mixed = parseArpa(TINY.replaceAll("light", "Light").replaceAll("turn", "TURN"), "mixed.arpa");
  for (const model of [lower, mixed]) {
    for (const words of [["TURN", "ON", "LIGHT"], ["turn", "on", "light"], ["Turn", "On", "lighT"]]) {
      assertEquals([log10(model, ...words), model.has(words[2]!)], [-0.85, true]);
    }
    assertEquals([model.has("LAMP"), model.has("<S>"), model.has("<s>")], [false, false, true]);
  }
  assertEquals([...mixed.words()], ["TURN", "on", "Light"]);
  const both = parseArpa("\\data\\\nngram 1=3\n\\1-grams:\n-2 Us\n-1 uS\n-3 me\n\\end\\\n", "both.arpa");
  assertEquals([log10(both, "US"), log10(both, "Us")], [-1, -2]);
});

Deno.test("canSpellAny finds language models of another script", () => {
  const tokenizer = parseTokenizer({ vocab: '{"<pad>":0,"|":1,"a":2,"b":3}' });
  assertEquals(canSpellAny(["xa", "AB"], tokenizer), true);
  assertEquals(canSpellAny(["xa", "свет"], tokenizer), false);
});

Deno.test("a state has the words that the next one depends on", () => {
  const model = parseArpa(TINY, "tiny.arpa");
  const first = model.score(model.start, "turn");
  const second = model.score(first.state, "on");
  const third = model.score(second.state, "light");
  assertEquals(third.state.length, 2);
  const sum = first.logProb + second.logProb + third.logProb + model.end(third.state);
  assert(Math.abs(sum - model.logProb(["turn", "on", "light"])) < 1e-12);
});

Deno.test("out-of-vocabulary words get the default without <unk>", () => {
  const text = "\\data\\\nngram 1=1\n\\1-grams:\n-0.5 a\n\\end\\";
  assertEquals(log10(parseArpa(text, "x"), "b", "a"), -10.5);
  assertEquals(log10(parseArpa(text, "x", { unknown: -3 }), "b"), -3);
});

// Models of a few words with random n-grams, and their scores by the definition.
function randomModel(seed: number): { text: string; score: (words: string[]) => number } {
  const words = ["<s>", "</s>", "<unk>", "a", "b", "c"];
  const entries = new Map<string, [number, number]>();
  const sections: string[][] = [];
  let draw = 0;
  const random = () => philox([draw++, 0, 0, 0], [seed, 21])[0]! / 2 ** 32;
  for (let order = 1; order <= 5; order++) {
    const lines: string[] = [];
    for (let code = 0; code < words.length ** order; code++) {
      const gram = Array.from(
        { length: order },
        (_, i) => words[Math.floor(code / words.length ** i) % words.length]!,
      );
      if (order > 1 && random() > 0.3) continue;
      const [prob, backoff] = [-(random() * 3).toFixed(4), -random().toFixed(4)];
      entries.set(gram.join(" "), [prob, order === 5 ? 0 : backoff]);
      lines.push(`${prob}\t${gram.join(" ")}${order === 5 ? "" : `\t${backoff}`}`);
    }
    sections.push(lines);
  }
  const text = ["\\data\\", ...sections.map((lines, i) => `ngram ${i + 1}=${lines.length}`)];
  sections.forEach((lines, i) => text.push(`\\${i + 1}-grams:`, ...lines));
  const p = (history: string[], word: string): number => {
    const found = entries.get([...history, word].join(" "));
    if (found !== undefined) return found[0];
    return (entries.get(history.join(" "))?.[1] ?? 0) + p(history.slice(1), word);
  };
  const score = (text: string[]) => {
    const all = ["<s>", ...text.map((word) => words.includes(word) ? word : "<unk>"), "</s>"];
    let sum = 0;
    for (let i = 1; i < all.length; i++) sum += p(all.slice(Math.max(0, i - 4), i), all[i]!);
    return sum;
  };
  return { text: [...text, "\\end\\"].join("\n"), score };
}

Deno.test("5-gram models with gaps score as defined", () => {
  for (let seed = 0; seed < 3; seed++) {
    const { text, score } = randomModel(seed);
    const model = parseArpa(text, "random.arpa");
    assertEquals(model.order, 5);
    for (let i = 0; i < 50; i++) {
      const drawn = philox([i, 0, 0, 0], [seed, 22]);
      const length = drawn[0]! % 8;
      const words = Array.from({ length }, (_, j) => "abcdz"[philox([i, j, 1, 0], [seed, 22])[0]! % 5]!);
      assert(Math.abs(model.logProb(words) / Math.LN10 - score(words)) < 1e-5, `${seed}: ${words}`);
    }
  }
});

const head = "\\data\\\nngram 1=2\nngram 2=1\n\n\\1-grams:\n-1 a -0.5\n-1 b\n\n\\2-grams:\n";
const REFUSED: [what: string, text: string, message: string][] = [
  ["nothing", "", "it must have a line \\data\\: line 0, it is missing"],
  ["another file", "hello\nworld\n", "it must have a line \\data\\: line 2, it is missing"],
  ["a cut file", head, "it must end with \\end\\: line 9, the file ends before"],
  [
    "a cut section",
    head + "\\end\\",
    "a section must have as many n-grams as counted: line 10, 1 of order 2 are missing",
  ],
  [
    "too many",
    head + "-1 a b\n-1 b a\n\\end\\",
    "a section must have as many n-grams as counted: line 11, -1 b a",
  ],
  [
    "a section out of order",
    "\\data\\\nngram 1=0\n\\2-grams:\n",
    "the section \\1-grams: must follow: line 3, \\2-grams:",
  ],
  ["no counts", "\\data\\\n\\1-grams:\n", "the section \\1-grams: must follow: line 2, \\1-grams:"],
  [
    "a section more",
    "\\data\\\nngram 1=0\n\\1-grams:\n\\2-grams:\n",
    "\\end\\ must follow: line 4, \\2-grams:",
  ],
  ["no section", "\\data\\\nngram 1=0\n\\end\\", "the section \\1-grams: must follow: line 3, \\end\\"],
  ["a bad count", "\\data\\\nngram 1=x\n", "a count must have the form ngram N=COUNT: line 2, ngram 1=x"],
  [
    "a count out of order",
    "\\data\\\nngram 2=1\n",
    "counts must be of orders 1 to 20, in order: line 2, ngram 2=1",
  ],
  [
    "too few words",
    head + "-1 a\n",
    "an n-gram must have a log-probability, 2 words and at most one backoff: line 10, -1 a",
  ],
  [
    "too many words",
    head + "-1 a b b -1\n",
    "an n-gram must have a log-probability, 2 words and at most one backoff",
  ],
  ["no number", head + "x a b\n", "log-probability and backoff must be numeric: line 10, x a b"],
  ["an empty number", head + "- a b\n", "log-probability and backoff must be numeric: line 10, - a b"],
  ["a hexadecimal", head + "-0x1 a b\n", "log-probability and backoff must be numeric: line 10, -0x1 a b"],
  [
    "a bad backoff",
    head + "-1 a b NaN\n",
    "log-probability and backoff must be numeric: line 10, -1 a b NaN",
  ],
  [
    "a huge number",
    head + "-1e300 a b\n",
    "log-probability and backoff must be numeric: line 10, -1e300 a b",
  ],
  ["a probability over 1", head + "0.1 a b\n", "a log-probability must be at most 0: line 10, 0.1 a b"],
  ["an unknown word", head + "-1 a z\n", "its words must be among the 1-grams: line 10, z"],
  ["a word twice", head.replace("-1 b", "-1 a"), "each n-gram must be unique: line 7, a"],
  [
    "an n-gram twice",
    head.replace("2=1", "2=2") + "-1 a b\n-1 a b\n",
    "each n-gram must be unique: line 11, -1 a b",
  ],
  [
    "a wrong count",
    head.replace("1=2", "1=99999999999"),
    "a section must have as many n-grams as counted",
  ],
];

Deno.test("invalid ARPA files are refused in one line with file, line and rule", async (t) => {
  for (const [what, text, message] of REFUSED) {
    await t.step(what, () => {
      const error = assertThrows(() => parseArpa(text, "lm.arpa"), SyntaxError);
      const expected = `Cannot read lm.arpa as ARPA as ${message}`;
      assertEquals(error.message.slice(0, expected.length), expected);
    });
  }
});

Deno.test("impossible n-grams and missing shorter ones are accepted", () => {
  const text =
    "\\data\\\r\nngram 1=2\r\nngram 2=0\r\nngram 3=1\r\n\\1-grams:\r\n-inf a -0.5\r\n-1 b -0.25\r\n" +
    "\\2-grams:\r\n\\3-grams:\r\n-0.5 a b a\r\n\\end\\\r\n";
  const model = parseArpa(text, "x");
  const a = model.score([], "a");
  assertEquals(a.logProb, -99 * Math.LN10);
  const b = model.score(a.state, "b");
  assertEquals(b.logProb, -1.5 * Math.LN10);
  assertEquals(model.score(b.state, "a").logProb, -0.5 * Math.LN10);
});

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".arpa" });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("loadArpa reads a file line by line, gzipped or not", async () => {
  const long = "x".repeat(70_000);
  const text = TINY.replaceAll("light", `licht${long}é`);
  const gzip = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  for (const bytes of [encode(text), await new Response(gzip).bytes()]) {
    await withFile(bytes, async (path) => {
      const model = await loadArpa(path);
      assertEquals(log10(model, "turn", "on", `licht${long}é`), -0.85);
    });
  }
});

const gzipped = async (text: string) =>
  await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();

Deno.test("loadArpa reads all members of a gzip file", async () => {
  const cuts = [0, 40, 41, TINY.length >> 1, TINY.length];
  const members: Uint8Array[] = [];
  for (const [i, end] of cuts.slice(1).entries()) members.push(await gzipped(TINY.slice(cuts[i], end)));
  const bytes = Uint8Array.from(members.flatMap((member) => [...member]));
  await withFile(bytes, async (path) => {
    assertEquals(
      (await loadArpa(path)).logProb(["turn", "on"]),
      parseArpa(TINY, "tiny").logProb(["turn", "on"]),
    );
  });
  const [first] = members;
  // Cut in the second member, or with another checksum.
  for (const broken of [bytes.slice(0, first!.length + 12), bytes.with(first!.length - 5, 7)]) {
    await withFile(broken, async (path) => {
      const message = `Cannot read ${path} as ARPA as it must be UTF-8, plain or gzipped: line `;
      await assertRejects(() => loadArpa(path), SyntaxError, message);
    });
  }
});

Deno.test("loadArpa refuses missing and invalid files", async () => {
  const missing = await assertRejects(() => loadArpa("no/such.arpa"), Deno.errors.NotFound);
  assertEquals(missing.message, "Cannot read no/such.arpa as it must exist: there is no such file");
  const kenlm = encode("mmap lm http://kheafield.com/code format version 5\n\0");
  const gzip = new Blob([kenlm]).stream().pipeThrough(new CompressionStream("gzip"));
  const binary = "it must be text: it is a binary of";
  const broken: [Uint8Array, string][] = [
    [Uint8Array.of(...kenlm, 0xff, 0xfe), `${binary} KenLM; use the ARPA file that it was made from`],
    [await new Response(gzip).bytes(), `${binary} KenLM`],
    [encode("SRILM_BINARY_NGRAM_002\n"), `${binary} SRILM`],
    [encode("blmt 3 10 20 30\n"), `${binary} IRSTLM`],
    [Uint8Array.of(...encode("\\data\\\n"), 0xff, 0xfe), "it must be UTF-8, plain or gzipped: line"],
    [Uint8Array.of(0x1f, 0x8b, 1, 2, 3), "it must be UTF-8, plain or gzipped: line 0"],
    [encode("x".repeat(1_200_000)), "a line must have at most 1000000 characters: line 0"],
    [new Uint8Array(0), "it must have a line \\data\\: line 1, it is missing"],
  ];
  for (const [bytes, message] of broken) {
    await withFile(bytes, async (path) => {
      const error = await assertRejects(() => loadArpa(path), SyntaxError);
      assert(error.message.startsWith(`Cannot read ${path} as ARPA as ${message}`), error.message);
      assert(!error.message.includes("\n"));
    });
  }
});

Deno.test("500 mutated ARPA files are parsed or refused, quickly", async () => {
  const bytes = encode(TINY);
  let parsed = 0;
  for (let seed = 0; seed < 500; seed++) {
    const text = new TextDecoder().decode(mutate(bytes, seed, 300));
    const parse = () => {
      try {
        return parseArpa(text, "lm.arpa").logProb(["turn", "on", "light", "on", "lamp"]);
      } catch (error) {
        return error;
      }
    };
    // A parse takes microseconds; the limit leaves room for a busy machine.
    const result = await assertBounded({ ms: 1000 }, parse, `seed ${seed}`);
    if (typeof result === "number") {
      assert(Number.isFinite(result), `seed ${seed}`);
      parsed++;
    } else {
      assert(result instanceof SyntaxError, `seed ${seed}: ${result}`);
      const { message } = result;
      assert(/^Cannot read lm\.arpa as ARPA as [\x20-\x7e]+$/.test(message), `seed ${seed}: ${message}`);
    }
  }
  assert(parsed > 20 && parsed < 400, `${parsed} of 500 parsed`);
});
