// Reads the ARPA format line by line: "\data\" with a count per order, a section per order, "\end\".
import { printable } from "../../files/printable.ts";
import { NgramTable, NONE } from "./ngram_table.ts";

/** N-grams of a file. */
export interface Ngrams {
  readonly table: NgramTable;
  /** Id of each word, which is also its node. */
  readonly words: ReadonlyMap<string, number>;
  /** Number of n-grams of each order, from 1. */
  readonly counts: readonly number[];
}

const MAX_ORDER = 20;
// Keys of node and word stay exact in float64, and a Map holds no more entries.
const MAX_WORDS = 2 ** 24 - 1;
// As in KenLM, only these separate words: other white space of Unicode may be a word.
const OUTER_SPACE = /^[ \t\r\n]+|[ \t\r\n]+$/g;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Parses a file from its lines, in order. */
export class ArpaReader {
  readonly #name: string;
  readonly #table = new NgramTable();
  readonly #words = new Map<string, number>();
  readonly #counts: number[] = [];
  #line = 0;
  /** Order of the current section, 0 in "\data\". Lines before it and after "\end\" are ignored. */
  #section: number | "before" | "after" = "before";
  #left = 0;

  /** @param name File name for error messages. */
  constructor(name: string) {
    this.#name = printable(name);
  }

  /**
   * Parses the next line, without its line end.
   *
   * @throws {SyntaxError} If it breaks a rule of the format.
   */
  push(text: string): void {
    this.#line++;
    const line = text.replace(OUTER_SPACE, "");
    if (line === "" || this.#section === "after") return;
    if (this.#section === "before") {
      if (line === "\\data\\") this.#section = 0;
    } else if (line.startsWith("\\") && (line === "\\end\\" || /^\\\d+-grams:$/.test(line))) {
      this.#startSection(line);
    } else if (this.#section === 0) {
      this.#count(line);
    } else {
      this.#entry(line, this.#section);
    }
  }

  /**
   * Returns the n-grams after the last line.
   *
   * @throws {SyntaxError} If the file is incomplete.
   */
  finish(): Ngrams {
    if (this.#section === "before") this.fail("it must have a line \\data\\", "it is missing");
    if (this.#section !== "after") this.fail("it must end with \\end\\", "the file ends before");
    return { table: this.#table, words: this.#words, counts: this.#counts };
  }

  /** Reports an error in the current line. @throws {SyntaxError} Always. */
  fail(rule: string, found: string): never {
    throw new SyntaxError(
      `Cannot read ${this.#name} as ARPA as ${rule}: line ${this.#line}, ${printable(found)}`,
    );
  }

  #count(line: string): void {
    const [, order, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(line) ??
      this.fail("a count must have the form ngram N=COUNT", line);
    if (Number(order) !== this.#counts.length + 1 || this.#counts.length === MAX_ORDER) {
      this.fail(`counts must be of orders 1 to ${MAX_ORDER}, in order`, line);
    }
    this.#counts.push(Number(count));
  }

  #startSection(line: string): void {
    const section = Number(this.#section);
    if (this.#left > 0) {
      this.fail(
        "a section must have as many n-grams as counted",
        `${this.#left} of order ${section} are missing`,
      );
    }
    if (section === 1) this.#table.words = this.#words.size;
    if (section < this.#counts.length && line !== `\\${section + 1}-grams:` || this.#counts.length === 0) {
      this.fail(`the section \\${section + 1}-grams: must follow`, line);
    }
    if (section === this.#counts.length && line !== "\\end\\") this.fail("\\end\\ must follow", line);
    this.#section = line === "\\end\\" ? "after" : section + 1;
    this.#left = this.#counts[section] ?? 0;
  }

  #entry(line: string, order: number): void {
    const fields = line.split(/[ \t\r]+/);
    if (fields.length !== order + 1 && fields.length !== order + 2) {
      this.fail(`an n-gram must have a log-probability, ${order} words and at most one backoff`, line);
    }
    if (this.#left-- === 0) this.fail("a section must have as many n-grams as counted", line);
    const prob = this.#number(fields[0]!, line);
    if (prob > 0) this.fail("a log-probability must be at most 0", line);
    const backoff = fields.length === order + 2 ? this.#number(fields[order + 1]!, line) : 0;
    if (order === 1) this.#word(fields[1]!, prob, backoff);
    else this.#ngram(fields, prob, backoff, line);
  }

  #word(word: string, prob: number, backoff: number): void {
    if (this.#words.has(word)) this.fail("each n-gram must be unique", word);
    if (this.#words.size === MAX_WORDS) this.fail(`it must have at most ${MAX_WORDS} words`, word);
    this.#words.set(word, this.#table.add(prob, backoff));
  }

  #ngram(fields: readonly string[], prob: number, backoff: number, line: string): void {
    const order = Number(this.#section);
    let node = NONE;
    for (let i = 1; i <= order; i++) {
      const word = this.#words.get(fields[i]!) ??
        this.fail("its words must be among the 1-grams", fields[i]!);
      const next = i === 1 ? word : this.#table.get(node, word);
      if (i === order) {
        if (next === NONE) this.#table.extend(node, word, prob, backoff);
        else this.fail("each n-gram must be unique", line);
      } else {
        // Pruned models lack some prefixes of longer n-grams.
        node = next === NONE ? this.#table.extend(node, word, NaN, 0) : next;
      }
    }
  }

  #number(text: string, line: string): number {
    // Impossible n-grams; most files use -99.
    if (/^-inf(inity)?$/i.test(text)) return -99;
    const value = NUMBER.test(text) ? Number(text) : NaN;
    if (!(Math.abs(value) < 1e6)) this.fail("log-probability and backoff must be numeric", line);
    return value;
  }
}
