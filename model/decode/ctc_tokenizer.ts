import { printable, show } from "../checkpoint/json_fields.ts";

/** What the files of a tokenizer say beside the vocabulary, by their names. */
export interface TokenizerSettings {
  readonly pad_token: string;
  readonly unk_token: string;
  readonly bos_token: string;
  readonly eos_token: string;
  readonly word_delimiter_token: string;
  /** What stands for the delimiter in texts. */
  readonly replace_word_delimiter_char: string;
  /** Whether texts are lower case and tokens upper case. */
  readonly do_lower_case: boolean;
}

/** How ids are joined to a text. */
export interface JoinOptions {
  /** Whether equal neighbours are one, as in the frames of CTC; true unless given. */
  readonly collapse?: boolean;
}

/** Characters of CTC and their ids, with the rules of Hugging Face's `Wav2Vec2CTCTokenizer`. */
export class CtcTokenizer {
  /** Token by id; `null` where no token has the id. */
  readonly tokens: readonly (string | null)[];
  /** Id of the padding token, which is the blank of CTC. */
  readonly padId: number;
  /** Id of what is not in the vocabulary, or null. */
  readonly unknownId: number | null;
  /** Id of the token between words, or null where texts are not split. */
  readonly delimiterId: number | null;
  /** Oddities that do no harm, a line each. */
  readonly notes: readonly string[];
  #ids: ReadonlyMap<string, number>;
  #longest: number;
  #special: ReadonlySet<number>;
  #lowerCase: boolean;
  #space: string;

  /** Made by {@linkcode parseTokenizer}, which says more about its errors. */
  constructor(ids: ReadonlyMap<string, number>, settings: TokenizerSettings, name: string) {
    const tokens = new Array<string | null>(most(ids.values()) + 1).fill(null);
    for (const [token, id] of ids) tokens[id] = token;
    this.tokens = tokens;
    this.#ids = ids;
    this.#longest = most([...ids.keys()].map((token) => [...token].length));
    const idOf = (token: string) => ids.get(token) ?? null;
    const pad = idOf(settings.pad_token);
    if (pad === null) {
      throw new RangeError(
        `Cannot read ${name} as the padding token, the blank of CTC, must be in it: ${
          show(settings.pad_token)
        } is not`,
      );
    }
    this.padId = pad;
    this.unknownId = idOf(settings.unk_token);
    this.delimiterId = idOf(settings.word_delimiter_token);
    const special = [pad, this.unknownId, idOf(settings.bos_token), idOf(settings.eos_token)];
    this.#special = new Set(special.filter((id) => id !== null));
    this.#lowerCase = settings.do_lower_case;
    this.#space = settings.replace_word_delimiter_char;
    const holes = tokens.flatMap((token, id) => token === null ? [id] : []);
    const few = holes.slice(0, 8).join(", ") + (holes.length > 8 ? ", ..." : "");
    this.notes = [
      ...(holes.length > 0 ? [`${name} has no token for ${holes.length} ids: ${few}`] : []),
      ...(this.delimiterId === null ? [`${name} has no token between words: texts are one word`] : []),
    ];
  }

  /** Ids there are, the size that the model's head must have. */
  get size(): number {
    return this.tokens.length;
  }

  /**
   * Holds the vocabulary to the size of a model's head.
   *
   * @throws {RangeError} If they differ.
   */
  checkSize(vocabSize: number, name = "the vocabulary"): void {
    if (this.size === vocabSize) return;
    throw new RangeError(
      `Cannot use ${
        printable(name)
      } as it must have as many ids as the model's head: ${this.size}, not ${vocabSize}`,
    );
  }

  /**
   * Ids of a text: its characters, or the longest tokens that fit where there are longer ones. Runs of white space
   * are one word delimiter; what is not in the vocabulary becomes `unknownId`.
   *
   * @throws {RangeError} If a character has no id and there is no token for such.
   */
  encode(text: string): number[] {
    const cased = this.#lowerCase ? text.toUpperCase() : text;
    const characters = [...cased.trim().replace(/\s+/g, " ")];
    const ids: number[] = [];
    for (let at = 0; at < characters.length;) {
      const { id, length } = this.#match(characters, at);
      const found = id ?? this.unknownId;
      if (found === null) {
        throw new RangeError(
          `Cannot encode as each character must be in the vocabulary: ${show(characters[at])} is not`,
        );
      }
      ids.push(found);
      at += length;
    }
    return ids;
  }

  /** Characters of a text that are not in the vocabulary, each once. */
  missing(text: string): string[] {
    const cased = [...(this.#lowerCase ? text.toUpperCase() : text).replace(/\s+/g, " ")];
    return [...new Set(cased.filter((_, at) => this.#match(cased, at).id === null))];
  }

  /**
   * Text of ids, such as the best token of every frame. Equal neighbours become one unless told otherwise, then
   * special tokens and ids without a token are dropped. Runs of word delimiters are one space.
   */
  decode(ids: Iterable<number>, { collapse = true }: JoinOptions = {}): string {
    let text = "";
    let last = -1;
    for (const id of ids) {
      if (!collapse || id !== last) text += id === this.delimiterId ? this.#space : this.textOf(id);
      last = id;
    }
    return text.split(this.#space).filter((word) => word !== "").join(this.#space);
  }

  /** Text of one id; `""` for special tokens, the word delimiter and ids without a token. */
  textOf(id: number): string {
    if (this.#special.has(id) || id === this.delimiterId) return "";
    const token = this.tokens[id] ?? "";
    return this.#lowerCase ? token.toLowerCase() : token;
  }

  #match(characters: readonly string[], at: number): { id: number | null; length: number } {
    if (characters[at] === " ") return { id: this.delimiterId ?? this.#ids.get(" ") ?? null, length: 1 };
    for (let length = Math.min(this.#longest, characters.length - at); length > 0; length--) {
      const id = this.#ids.get(characters.slice(at, at + length).join(""));
      if (id !== undefined) return { id, length };
    }
    return { id: null, length: 1 };
  }
}

// Not Math.max of all, as a large vocabulary does not fit into the arguments of a call.
function most(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}
