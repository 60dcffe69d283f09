import { ArpaReader, type Ngrams } from "./arpa_reader.ts";
import type { LanguageModel } from "./beam_search.ts";
import { printable } from "../checkpoint/json_fields.ts";
import { NONE } from "./ngram_table.ts";

/** What a language model does with words that it does not have. */
export interface ArpaOptions {
  /** Log10 probability of an unknown word where the file has no `<unk>`; −10 unless given. */
  readonly unknown?: number;
}

/** The words before: their numbers, at most order − 1. */
export type ArpaState = readonly number[];

// A line of a hundred words is a few thousand bytes.
const LONGEST_LINE = 1_000_000;

/** A backoff n-gram language model (Katz, 1987) from an ARPA file. */
export class ArpaModel implements LanguageModel<ArpaState> {
  /** Words of the longest n-gram. */
  readonly order: number;
  /** Number of n-grams of each order, from 1. */
  readonly counts: readonly number[];
  /** State at the start of a text: `<s>`, where the file has it. */
  readonly start: ArpaState;
  readonly #ngrams: Ngrams;
  readonly #unknown: number;

  /** Made by {@linkcode parseArpa} and {@linkcode loadArpa}. */
  constructor(ngrams: Ngrams, { unknown = -10 }: ArpaOptions = {}) {
    this.#ngrams = ngrams;
    this.#unknown = unknown;
    this.counts = ngrams.counts;
    this.order = ngrams.counts.length;
    const start = ngrams.words.get("<s>");
    this.start = start === undefined || this.order === 1 ? [] : [start];
  }

  /** Whether a word is in the vocabulary. */
  has(word: string): boolean {
    return this.#ngrams.words.has(word);
  }

  /** Natural log-probability of a word after a state, and the state after it. */
  score(state: ArpaState, word: string): { logProb: number; state: ArpaState } {
    const { words } = this.#ngrams;
    const id = words.get(word) ?? words.get("<unk>") ?? words.get("<UNK>");
    if (id === undefined) return { logProb: this.#unknown * Math.LN10, state: [] };
    const next = this.order === 1 ? [] : [...state, id].slice(1 - this.order);
    return { logProb: this.#log10(state, id) * Math.LN10, state: next };
  }

  /** Natural log-probability that a text ends after a state: that of `</s>`, or 0 where the model has none. */
  end(state: ArpaState): number {
    const id = this.#ngrams.words.get("</s>");
    return id === undefined ? 0 : this.#log10(state, id) * Math.LN10;
  }

  /** Natural log-probability of a whole text, its end included. */
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

  /** p(w | h) is that of the longest n-gram h w there is, times the backoffs of the longer histories. */
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

  /** Node of a history without its first words. */
  #node(state: ArpaState, skipped: number): number {
    let node = state[skipped]!;
    for (let i = skipped + 1; i < state.length && node !== NONE; i++) {
      node = this.#ngrams.table.get(node, state[i]!);
    }
    return node;
  }
}

/**
 * Reads a language model in ARPA format.
 *
 * @param text Content of the file.
 * @param name What to call it in errors, such as its path.
 * @throws {SyntaxError} If it is not valid; one line that names file, line and rule.
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
 * Reads a language model from an ARPA file of any size, gzipped or not, line by line.
 *
 * @param path File to read.
 * @throws {SyntaxError} If it is not valid, not UTF-8, or broken gzip.
 * @throws {Deno.errors.NotFound} If there is no such file.
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
    for await (const text of textOf(file)) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) reader.push(line);
      if (rest.length > LONGEST_LINE) {
        reader.fail(`a line may have ${LONGEST_LINE} characters`, `after it comes ${rest.slice(0, 40)}`);
      }
    }
  } catch (error) {
    // What the decoders of gzip and UTF-8 throw.
    if (error instanceof TypeError) reader.fail("it must be UTF-8 or gzip of it", error.message);
    throw error;
  }
  reader.push(rest);
  return new ArpaModel(reader.finish(), options);
}

/** The text of a file piece by piece; the file is closed at the end. */
function textOf(file: Deno.FsFile): ReadableStream<string> {
  const magic = new Uint8Array(2);
  file.readSync(magic);
  file.seekSync(0, Deno.SeekMode.Start);
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  const bytes = isGzip ? file.readable.pipeThrough(new DecompressionStream("gzip")) : file.readable;
  return bytes.pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
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
