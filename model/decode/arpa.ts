// N-gram language models in ARPA format, for beam search.
import { ArpaReader, type Ngrams } from "./arpa_reader.ts";
import type { LanguageModel } from "./beam_search.ts";
import { printable } from "../../files/printable.ts";
import { NONE } from "./ngram_table.ts";

/** Options of an ARPA language model. */
export interface ArpaOptions {
  /** Log10 probability of an out-of-vocabulary word if the file has no `<unk>`; default −10. */
  readonly unknown?: number;
}

/** Ids of the previous words, at most order − 1. */
export type ArpaState = readonly number[];

// Not literals, as bundlers for browsers refuse modules of Node.
const ZLIB: string = "node:zlib";
const STREAM: string = "node:stream";

// A line of 100 words is a few thousand bytes.
const MAX_LINE = 1_000_000;

/** A backoff n-gram language model (Katz, 1987) from an ARPA file. */
export class ArpaModel implements LanguageModel<ArpaState> {
  /** Length of the longest n-grams. */
  readonly order: number;
  /** Number of n-grams of each order, from 1. */
  readonly counts: readonly number[];
  /** State at the start of a text: `<s>`, if the file has it. */
  readonly start: ArpaState;
  readonly #ngrams: Ngrams;
  readonly #unknown: number;
  /** Ids of words in mixed case, by the word in lower case; made when it is first needed. */
  #mixed: ReadonlyMap<string, number> | null = null;

  /** Use {@linkcode parseArpa} or {@linkcode loadArpa}. */
  constructor(ngrams: Ngrams, { unknown = -10 }: ArpaOptions = {}) {
    this.#ngrams = ngrams;
    this.#unknown = unknown;
    this.counts = ngrams.counts;
    this.order = ngrams.counts.length;
    const start = ngrams.words.get("<s>");
    this.start = start === undefined || this.order === 1 ? [] : [start];
  }

  /** The vocabulary, without `<s>`, `</s>` and `<unk>`. */
  *words(): Generator<string> {
    for (const word of this.#ngrams.words.keys()) if (!isSpecial(word)) yield word;
  }

  /** Whether a word is in the vocabulary, in any letter case. */
  has(word: string): boolean {
    return this.#idOf(word) !== undefined;
  }

  /**
   * Returns the natural log-probability of a word in a state, and the next state. A word that the model lacks is taken in
   * another letter case if it has that, since vocabularies of CTC models and language models often differ in it.
   */
  score(state: ArpaState, word: string): { logProb: number; state: ArpaState } {
    const { words } = this.#ngrams;
    const id = this.#idOf(word) ?? words.get("<unk>") ?? words.get("<UNK>");
    if (id === undefined) return { logProb: this.#unknown * Math.LN10, state: [] };
    const next = this.order === 1 ? [] : [...state, id].slice(1 - this.order);
    return { logProb: this.#log10(state, id) * Math.LN10, state: next };
  }

  /** Natural log-probability of the end of the text in a state: that of `</s>`, or 0 if the model has none. */
  end(state: ArpaState): number {
    const id = this.#ngrams.words.get("</s>");
    return id === undefined ? 0 : this.#log10(state, id) * Math.LN10;
  }

  /** Natural log-probability of a text, including its end. */
  logProb(words: readonly string[]): number {
    let sum = 0;
    let state = this.start;
    for (const word of words) {
      const scored = this.score(state, word);
      sum += scored.logProb;
      state = scored.state;
    }
    return sum + this.end(state);
  }

  #idOf(word: string): number | undefined {
    const { words } = this.#ngrams;
    const exact = words.get(word);
    if (exact !== undefined || isSpecial(word)) return exact;
    const lower = word.toLowerCase();
    return words.get(lower) ?? words.get(word.toUpperCase()) ?? this.#mixedCase().get(lower);
  }

  /** The most probable spelling counts. */
  #mixedCase(): ReadonlyMap<string, number> {
    if (this.#mixed) return this.#mixed;
    const { words, table } = this.#ngrams;
    const mixed = new Map<string, number>();
    for (const [word, id] of words) {
      const lower = word.toLowerCase();
      if (word === lower || word === word.toUpperCase()) continue;
      const other = mixed.get(lower);
      if (other === undefined || table.probs[id]! > table.probs[other]!) mixed.set(lower, id);
    }
    return this.#mixed = mixed;
  }

  /** p(w | h): probability of the longest stored n-gram h w, times the backoff weights of the longer histories. */
  #log10(state: ArpaState, word: number): number {
    const { table } = this.#ngrams;
    let backoff = 0;
    for (let skipped = 0; skipped < state.length; skipped++) {
      const history = this.#node(state, skipped);
      if (history === NONE) continue;
      const node = table.get(history, word);
      if (node !== NONE && !Number.isNaN(table.probs[node])) return backoff + table.probs[node]!;
      backoff += table.backoffs[history]!;
    }
    return backoff + table.probs[word]!;
  }

  /** Node of a history without its first `skipped` words. */
  #node(state: ArpaState, skipped: number): number {
    let node = state[skipped]!;
    for (let i = skipped + 1; i < state.length && node !== NONE; i++) {
      node = this.#ngrams.table.get(node, state[i]!);
    }
    return node;
  }
}

/** Whether a word is a marker such as `<s>`. */
const isSpecial = (word: string) => /^<.+>$/.test(word);

/**
 * Parses a language model in ARPA format.
 *
 * @param text Content of the file.
 * @param name File name for error messages.
 * @throws {SyntaxError} If it is invalid; one line with file, line number and rule.
 *
 * @example
 * ```ts
 * import { parseArpa } from "./arpa.ts";
 *
 * const text = "\\data\\\nngram 1=2\n\\1-grams:\n-0.3 yes\n-0.3 </s>\n\\end\\\n";
 * const model = parseArpa(text, "tiny.arpa");
 * console.log(model.logProb(["yes"]) / Math.LN10); // about -0.6, the log10 of both
 * ```
 */
export function parseArpa(text: string, name: string, options: ArpaOptions = {}): ArpaModel {
  refuseBinary(text.slice(0, 16), name);
  const reader = new ArpaReader(name);
  for (let at = 0; at < text.length;) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    reader.push(text.slice(at, end));
    at = end + 1;
  }
  return new ArpaModel(reader.finish(), options);
}

/**
 * Reads an ARPA file of any size line by line; it may be gzipped, in one member or several (RFC 1952).
 *
 * @param path Path of the file.
 * @throws {SyntaxError} If it is invalid, not UTF-8, corrupt gzip, or a binary of KenLM, IRSTLM or SRILM.
 * @throws {Deno.errors.NotFound} If the file does not exist.
 *
 * @example
 * ```ts ignore
 * const model = await loadArpa("3-gram.pruned.1e-7.arpa.gz");
 * ```
 */
export async function loadArpa(path: string | URL, options: ArpaOptions = {}): Promise<ArpaModel> {
  const reader = new ArpaReader(String(path));
  const file = await openFile(path);
  let rest = "";
  try {
    for await (const text of await textOf(file, String(path))) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) reader.push(line);
      if (rest.length > MAX_LINE) {
        reader.fail(`a line must have at most ${MAX_LINE} characters`, `it starts with ${rest.slice(0, 40)}`);
      }
    }
  } catch (error) {
    if (isDecodeError(error)) reader.fail("it must be UTF-8, plain or gzipped", error.message);
    throw error;
  }
  reader.push(rest);
  return new ArpaModel(reader.finish(), options);
}

/** First bytes of binary language models, with the tool that writes them. */
const BINARY: Readonly<Record<string, string>> = {
  "mmap lm ": "KenLM",
  blmt: "IRSTLM",
  SRILM_BINARY: "SRILM",
};

/** Refuses a binary language model by its first bytes. @throws {SyntaxError} If it is one. */
function refuseBinary(start: string, name: string): void {
  const magic = Object.keys(BINARY).find((magic) => start.startsWith(magic));
  if (magic === undefined) return;
  throw new SyntaxError(
    `Cannot read ${printable(name)} as ARPA as it must be text: it is a binary of ${BINARY[magic]}; ` +
      "use the ARPA file that it was made from",
  );
}

/** Passes bytes on, and refuses a binary language model. */
function textOnly(name: string): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let isFirst = true;
  return new TransformStream({
    transform(bytes, controller) {
      if (isFirst) refuseBinary(String.fromCharCode(...bytes.subarray(0, 16)), name);
      isFirst = false;
      controller.enqueue(bytes);
    },
  });
}

/** Streams the text of a file, and closes it at the end. */
async function textOf(file: Deno.FsFile, name: string): Promise<ReadableStream<string>> {
  const magic = new Uint8Array(2);
  file.readSync(magic);
  file.seekSync(0, Deno.SeekMode.Start);
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  const bytes = isGzip ? file.readable.pipeThrough(await gunzip()) : file.readable;
  return bytes.pipeThrough(textOnly(name)).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
}

type ByteStream = ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;

/** Decompresses all members of a gzip file; `DecompressionStream` fails after the first. */
async function gunzip(): Promise<ByteStream> {
  const { createGunzip } = await import(ZLIB) as typeof import("node:zlib");
  const { Duplex } = await import(STREAM) as typeof import("node:stream");
  const stream: unknown = Duplex.toWeb(createGunzip());
  return stream as ByteStream;
}

/** Whether an error is of the decoder of UTF-8 or of zlib. */
function isDecodeError(error: unknown): error is Error {
  if (error instanceof TypeError) return true;
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === "string" && code.startsWith("Z_");
}

async function openFile(path: string | URL): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot read ${printable(String(path))} as it must exist: there is no such file`,
    );
  }
}
