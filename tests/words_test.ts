// Comments, messages and documentation use the field's terms: see the glossary of CONTRIBUTING.md.
import { assert, assertEquals } from "@std/assert";

/** A word that a reader of the field would not expect, what to write instead, and where it is right. */
interface Word {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Contexts, of some words around it, in which it is right. */
  readonly allow?: RegExp;
}

const WORDS: readonly Word[] = [
  {
    pattern: /\b(?:told|tells?|telling)\b/i,
    instead: "prints, reports, states, estimates",
    allow: /t(?:old|ells?) \S+( \S+)? apart/i,
  },
  { pattern: /\b(?:hears?|heard|hearing)\b/i, instead: "transcribes, hypothesis" },
  { pattern: /\bone's own\b/i, instead: "your, custom" },
  { pattern: /\bwhat\b[^.:;]{0,40}\bof (?:it|them) (?:is|are)\b/i, instead: "a plain noun" },
  { pattern: /\b(?:goes|go|going|went) on\b(?! the\b)/i, instead: "resumes, continues" },
  { pattern: /\bsays\b/i, instead: "states, prints, reports" },
  {
    pattern: /\bnumbers\b/i,
    instead: "elements, values",
    allow:
      /(?:random|whole|line|version|odd|even|real|floating-point|magic|large|natural|page) numbers|numbers of\b|numbers?\(/i,
  },
  {
    pattern: /\bproducts?\b/i,
    instead: "GEMM, matmul",
    allow:
      /(?:dot|outer|inner|scalar|elementwise|element-wise|cartesian|npm) products?|products? of (?:the |two |three |its |their |equal )?(?:expect|size|extent|dim|shape|scalar|prob|factor|word|share|32|two|number)|equal products|product\(/i,
  },
  {
    pattern: /\bclips?\b/i,
    instead: "utterance",
    allow: /grad|norm|clips\/|"clips?" is|clip_|--clip|clip-distances/i,
  },
  {
    pattern: /(?<!Lagrange\s{0,4})\bmultipliers?\b/i,
    instead: "Lagrange multipliers",
    allow: /\bits multipliers|λ/i,
  },
  { pattern: /\bthin models?\b/i, instead: "active submodel" },
  { pattern: /\bsurfaces?\b/i, instead: "texture" },
  { pattern: /\bfours\b/i, instead: "vec4" },
  { pattern: /\bstrangers?\b/i, instead: "out-of-vocabulary, user" },
  { pattern: /\bsittings?\b/i, instead: "session" },
  { pattern: /\bgraphics processors?\b/i, instead: "GPU" },
  { pattern: /\b(?:on|by|over|the|a) processors?\b/i, instead: "CPU" },
  { pattern: /\b(?:is|are) none\b/i, instead: "is not a …", allow: /there (?:is|are) none/i },
  { pattern: /\bleft out\b|\bsubstituted\b/i, instead: "del, sub", allow: /dependen/i },
];

/** Files where such words are right: quotations, data, and the tables of terms themselves. */
const ALLOWED: Readonly<Record<string, readonly RegExp[]>> = {
  "tests/words_test.ts": [/./],
  "CONTRIBUTING.md": [/products?|clips?/i],
  "CHANGELOG.md": [/Heard/],
  "prune/run/measure_speed.ts": [/clips/], // purpose of a random stream
  "data/batching/batch_plan.ts": [/clips/], // names of random streams, which runs depend on
  "data/synthetic/grammar.ts": [/hear/], // what people say
  "data/synthetic/layouts.ts": [/clips/], // a file of the published corpus
  "tests/data/corpus/corpus_test.ts": [/HEAR/], // a transcript
};

/** Paths that are not ours to word: data, and stand-ins with others' documentation. */
const SKIPPED = /^(tests\/testdata|assets|std|recipes|\.git|\.deno|node_modules|coverage|dist)\//;

const root = new URL("../", import.meta.url);

async function* files(folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", root))) {
    const path = folder + name;
    if (SKIPPED.test(`${path}/`)) continue;
    if (isDirectory) yield* files(`${path}/`);
    else if (/\.(ts|wgsl|md|sh|py)$/.test(name) || /^(espalier|\.ci\/run)$/.test(path)) yield path;
  }
}

/** The prose of a file, everything else being spaces: comments, strings of several words, and documents whole. */
function proseOf(path: string, text: string): string {
  if (path.endsWith(".md")) return text.replace(/\]\([^)]*\)|https?:\S+/g, blank);
  const comment = /\.(ts|wgsl)$/.test(path)
    ? String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`
    : String.raw`(?<=^|\s)#[^\n]*`;
  const strings = path.endsWith(".wgsl")
    ? ""
    : String.raw`|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`(?:[^`\\\\]|\\\\.)*`"}`;
  const tokens = new RegExp(
    `${comment}${strings}|\\/(?![*/\\s])(?:[^/\\\\\\n[]|\\\\.|\\[(?:[^\\]\\\\\\n]|\\\\.)*\\])+\\/[gimsuvy]*`,
    "gm",
  );
  let prose = "";
  let at = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    prose += blank(text.slice(at, index));
    const isComment = token.startsWith("//") || token.startsWith("/*") || token.startsWith("#");
    const isText = isComment || (/^["'`]/.test(token) && /\S \S/.test(token));
    prose += isText
      ? token.replace(
        /`[^`\n]*`|\$\{[^}]*\}|\{@linkcode [^}]*\}/g,
        isComment ? blank : (code) => code.startsWith("$") ? blank(code) : code,
      )
      : blank(token);
    at = index + token.length;
  }
  return prose + blank(text.slice(at));
}

/** As many spaces and lines. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Where a text has words that are not the field's: a line each. */
function findings(path: string, text: string): string[] {
  const prose = proseOf(path, text).replace(
    /\n[ \t]*(?:\*|\/\/|#)(?= )/g,
    (start) => "\n" + " ".repeat(start.length - 1),
  );
  return WORDS.flatMap(({ pattern, instead, allow }) =>
    [...prose.matchAll(new RegExp(pattern, pattern.flags + "g"))].flatMap(({ 0: word, index }) => {
      const context = prose.slice(Math.max(0, index - 60), index + word.length + 60).replace(/\s+/g, " ");
      if (allow?.test(context) || ALLOWED[path]?.some((right) => right.test(word))) return [];
      const line = prose.slice(0, index).split("\n").length;
      return [`${path}:${line}: ${word.replace(/\s+/g, " ")} → ${instead}`];
    })
  );
}

Deno.test("comments, messages and documentation use the field's terms", async () => {
  const found: string[] = [];
  for await (const path of files()) {
    found.push(...findings(path, await Deno.readTextFile(new URL(path, root))));
  }
  assert(found.length === 0, `${found.length} words to replace:\n${found.sort().join("\n")}`);
});

Deno.test("a word that is not the field's is found, a right use is not", () => {
  const text = (code: string) => findings("a.ts", code).map((line) => line.replace(/ →.*/, ""));
  assertEquals(text('// what is heard\nconst told = "tells"; // random numbers\n'), ["a.ts:1: heard"]);
  assertEquals(text('throw new Error("the corpus says so");\n/** A\n * clip. */'), [
    "a.ts:1: says",
    "a.ts:3: clip",
  ]);
  assertEquals(text("// clips gradients by their norm, and the dot product of two vectors\n"), []);
  assertEquals(findings("a.md", "The product of A and B\n").length, 1);
  assertEquals(findings("a.wgsl", "fn told() {} // four numbers\n").length, 1);
});
