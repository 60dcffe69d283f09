// The ARPA format, read line by line: "\data\" with a count per order, a section per order, "\end\".
import { printable } from "../checkpoint/json_fields.ts";
import { NgramTable, NONE } from "./ngram_table.ts";

/** What a file holds. */
export interface Ngrams {
  readonly table: NgramTable;
  /** Number of each word, which is its node's too. */
  readonly words: ReadonlyMap<string, number>;
  /** Number of n-grams of each order, from 1. */
  readonly counts: readonly number[];
}

const HIGHEST_ORDER = 20;
// Of a word's node: numbers stay exact, and a Map holds no more.
const MOST_WORDS = 2 ** 24 - 1;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Takes the lines of a file one after the other. */
export class ArpaReader {
  readonly #name: string;
  readonly #table = new NgramTable();
  readonly #words = new Map<string, number>();
  readonly #counts: number[] = [];
  #line = 0;
  /** Order of the section, 0 in "\data\"; before it and after "\end\" lines are passed over. */
  #section: number | "before" | "after" = "before";
  #left = 0;

  /** @param name What to call the file in errors. */
  constructor(name: string) {
    this.#name = printable(name);
  }

  /**
   * Takes the next line, without its end.
   *
   * @throws {SyntaxError} If it breaks a rule of the format.
   */
  push(text: string): void {
    this.#line++;
    const line = text.trim();
    if (line === "" || this.#section === "after") return;
    if (this.#section === "before") {
      if (line === "\\data\\") this.#section = 0;
    } else if (line.startsWith("\\") && (line === "\\end\\" || /^\\\d+-grams:$/.test(line))) {
      this.#turn(line);
    } else if (this.#section === 0) {
      this.#count(line);
    } else {
      this.#entry(line, this.#section);
    }
  }

  /**
   * Ends the file.
   *
   * @throws {SyntaxError} If it is not complete.
   */
  finish(): Ngrams {
    if (this.#section === "before") this.fail("it must have a line \\data\\", "there is none");
    if (this.#section !== "after") this.fail("it must end with \\end\\", "the file ends before");
    return { table: this.#table, words: this.#words, counts: this.#counts };
  }

  /** Complains about the line. @throws {SyntaxError} Always. */
  fail(rule: string, found: string): never {
    throw new SyntaxError(
      `Cannot read ${this.#name} as ARPA as ${rule}: line ${this.#line}, ${printable(found)}`,
    );
  }

  #count(line: string): void {
    const [, order, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(line) ??
      this.fail("a count must be written ngram N=COUNT", line);
    if (Number(order) !== this.#counts.length + 1 || this.#counts.length === HIGHEST_ORDER) {
      this.fail(`counts must be of orders 1 to ${HIGHEST_ORDER} in turn`, line);
    }
    this.#counts.push(Number(count));
  }

  #turn(line: string): void {
    const section = Number(this.#section);
    if (this.#left > 0) {
      this.fail(
        "a section must have as many n-grams as counted",
        `${this.#left} of order ${section} are missing`,
      );
    }
    if (section === 1) this.#table.words = this.#words.size;
    if (section < this.#counts.length && line !== `\\${section + 1}-grams:` || this.#counts.length === 0) {
      this.fail(`the section \\${section + 1}-grams: must be next`, line);
    }
    if (section === this.#counts.length && line !== "\\end\\") this.fail("\\end\\ must be next", line);
    this.#section = line === "\\end\\" ? "after" : section + 1;
    this.#left = this.#counts[section] ?? 0;
  }

  #entry(line: string, order: number): void {
    const fields = line.split(/[ \t]+/);
    if (fields.length !== order + 1 && fields.length !== order + 2) {
      this.fail(`an n-gram must have a number, ${order} words and at most one number more`, line);
    }
    if (this.#left-- === 0) this.fail("a section must have as many n-grams as counted", line);
    const prob = this.#number(fields[0]!, line);
    if (prob > 0) this.fail("a log-probability must not be above 0", line);
    const backoff = fields.length === order + 2 ? this.#number(fields[order + 1]!, line) : 0;
    if (order === 1) this.#word(fields[1]!, prob, backoff);
    else this.#ngram(fields, prob, backoff, line);
  }

  #word(word: string, prob: number, backoff: number): void {
    if (this.#words.has(word)) this.fail("no n-gram may be there twice", word);
    if (this.#words.size === MOST_WORDS) this.fail(`it may have ${MOST_WORDS} words`, word);
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
        else this.fail("no n-gram may be there twice", line);
      } else {
        // Pruned models lack some of the shorter n-grams that longer ones start with.
        node = next === NONE ? this.#table.extend(node, word, NaN, 0) : next;
      }
    }
  }

  #number(text: string, line: string): number {
    // Impossible n-grams; -99 is usual.
    if (/^-inf(inity)?$/i.test(text)) return -99;
    const value = NUMBER.test(text) ? Number(text) : NaN;
    if (!(Math.abs(value) < 1e6)) this.fail("log-probability and backoff must be numbers", line);
    return value;
  }
}
