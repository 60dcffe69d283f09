import { printable } from "../../files/printable.ts";
import { show } from "../checkpoint/json_fields.ts";

/** Settings of a tokenizer besides its vocabulary, named as in its files. */
export interface TokenizerSettings {
  readonly pad_token: string;
  readonly unk_token: string;
  readonly bos_token: string;
  readonly eos_token: string;
  readonly word_delimiter_token: string;
  /** Replacement of the delimiter in texts. */
  readonly replace_word_delimiter_char: string;
  /** Whether texts are lower case and tokens are upper case. */
  readonly do_lower_case: boolean;
  /** Whether tokens are phonemes, separated by spaces; default: whether they look so. */
  readonly phonemes?: boolean;
  /** Number of ids without added tokens; default: all. */
  readonly base_size?: number;
}

/** Options of {@linkcode CtcTokenizer.decode}. */
export interface JoinOptions {
  /** Whether equal neighbours collapse, as for frames of CTC; default true. */
  readonly collapse?: boolean;
}

/** A CTC vocabulary with the rules of `Wav2Vec2CTCTokenizer` of transformers. */
export class CtcTokenizer {
  /** Token by id; `null` for unused ids. */
  readonly tokens: readonly (string | null)[];
  /** Id of the padding token, the blank of CTC. */
  readonly padId: number;
  /** Id for out-of-vocabulary characters, or null. */
  readonly unknownId: number | null;
  /** Id of the word delimiter, or null if there is none. */
  readonly delimiterId: number | null;
  /** Whether tokens are phonemes: texts have a space between any two, and no words. */
  readonly phonemes: boolean;
  /** Harmless irregularities of the files, a line each. */
  readonly notes: readonly string[];
  #ids: ReadonlyMap<string, number>;
  #longest: number;
  #special: ReadonlySet<number>;
  #lowerCase: boolean;
  #space: string;
  #settings: TokenizerSettings;
  #name: string;

  /** Use {@linkcode parseTokenizer}, which checks the files. */
  constructor(ids: ReadonlyMap<string, number>, settings: TokenizerSettings, name: string) {
    const tokens = new Array<string | null>(maxOf(ids.values()) + 1).fill(null);
    for (const [token, id] of ids) tokens[id] = token;
    this.tokens = tokens;
    this.#ids = ids;
    this.#longest = maxOf([...ids.keys()].map((token) => [...token].length));
    const idOf = (token: string) => ids.get(token) ?? null;
    const pad = idOf(settings.pad_token);
    if (pad === null) {
      throw new RangeError(
        `Cannot read ${name} as the padding token, the CTC blank, must be in it: ${
          show(settings.pad_token)
        } is missing`,
      );
    }
    this.padId = pad;
    this.unknownId = idOf(settings.unk_token);
    this.delimiterId = idOf(settings.word_delimiter_token);
    const special = [pad, this.unknownId, idOf(settings.bos_token), idOf(settings.eos_token)];
    this.#special = new Set(special.filter((id) => id !== null));
    this.#lowerCase = settings.do_lower_case;
    this.#space = settings.replace_word_delimiter_char;
    this.#settings = settings;
    this.#name = name;
    const spaced = this.delimiterId !== null || ids.has(" ");
    this.phonemes = settings.phonemes ?? (!spaced && [...ids].some(([token, id]) => {
      return !this.#special.has(id) && !/^[<[]/.test(token) && [...token].length > 1;
    }));
    const holes = tokens.flatMap((token, id) => token === null ? [id] : []);
    const few = holes.slice(0, 8).join(", ") + (holes.length > 8 ? ", ..." : "");
    this.notes = [
      ...(holes.length > 0 ? [`${name} has no token for ${holes.length} ids: ${few}`] : []),
      ...(this.delimiterId === null && !this.phonemes
        ? [`${name} has no word delimiter: texts are not split into words`]
        : []),
    ];
  }

  /** Number of ids, equal to the output size of the CTC head. */
  get size(): number {
    return this.tokens.length;
  }

  /**
   * Checks that the vocabulary has the size of a CTC head.
   *
   * @throws {RangeError} If they differ.
   */
  checkSize(vocabSize: number, name = "the vocabulary"): void {
    if (this.size === vocabSize) return;
    throw new RangeError(
      `Cannot use ${
        printable(name)
      } as it must have as many ids as the CTC head: ${this.size}, not ${vocabSize}`,
    );
  }

  /**
   * The tokenizer without added tokens that a CTC head has no output for. Files of some models add `<s>` and `</s>` after the
   * vocabulary that the head was made for.
   *
   * @param vocabSize Number of outputs of the head.
   * @returns This tokenizer if there are none, or if the padding token is among them.
   */
  trimmed(vocabSize: number): CtcTokenizer {
    const { base_size = this.size } = this.#settings;
    if (this.size <= vocabSize || base_size > vocabSize || this.padId >= vocabSize) return this;
    const ids = new Map([...this.#ids].filter(([, id]) => id < vocabSize));
    return new CtcTokenizer(ids, this.#settings, this.#name);
  }

  /**
   * Encodes a text as ids. The longest matching token is taken; runs of white space are one word delimiter;
   * out-of-vocabulary characters become `unknownId`. Phonemes are separated by spaces.
   *
   * @throws {RangeError} If a character is out of vocabulary and there is no unknown token.
   */
  encode(text: string): number[] {
    if (this.phonemes) return phonemesOf(text).flatMap((phoneme) => this.#encode([phoneme]));
    const cased = this.#lowerCase ? text.toUpperCase() : text;
    return this.#encode([...cased.trim().replace(/\s+/g, " ")]);
  }

  /** Encodes characters, or one phoneme. */
  #encode(characters: readonly string[]): number[] {
    const ids: number[] = [];
    for (let at = 0; at < characters.length;) {
      const { id, length } = this.#match(characters, at);
      const found = id ?? this.unknownId;
      if (found === null) {
        const kind = this.phonemes ? "phoneme" : "character";
        throw new RangeError(
          `Cannot encode as each ${kind} must be in the vocabulary: ${show(characters[at])} is missing`,
        );
      }
      ids.push(found);
      at += length;
    }
    return ids;
  }

  /** Out-of-vocabulary characters or phonemes of a text, each once. */
  missing(text: string): string[] {
    if (this.phonemes) return [...new Set(phonemesOf(text).filter((phoneme) => !this.#ids.has(phoneme)))];
    const cased = [...(this.#lowerCase ? text.toUpperCase() : text).replace(/\s+/g, " ")];
    return [...new Set(cased.filter((_, at) => this.#match(cased, at).id === null))];
  }

  /**
   * Decodes ids, such as the best token of every frame. Equal neighbours are collapsed unless `collapse` is false, then
   * special tokens and unused ids are dropped. Runs of word delimiters become one space; phonemes are joined by spaces, and word
   * delimiters between them dropped, as by `Wav2Vec2PhonemeCTCTokenizer`.
   */
  decode(ids: Iterable<number>, { collapse = true }: JoinOptions = {}): string {
    const phonemes: string[] = [];
    let text = "";
    let last = -1;
    for (const id of ids) {
      if (!collapse || id !== last) {
        text += id === this.delimiterId ? this.#space : this.textOf(id);
        phonemes.push(this.textOf(id));
      }
      last = id;
    }
    if (this.phonemes) return phonemes.filter((phoneme) => phoneme !== "").join(" ");
    return text.split(this.#space).filter((word) => word !== "").join(this.#space);
  }

  /** Text of one id; `""` for special tokens, the word delimiter and unused ids. */
  textOf(id: number): string {
    if (this.#special.has(id) || id === this.delimiterId) return "";
    const token = this.tokens[id] ?? "";
    return this.#lowerCase && !this.phonemes ? token.toLowerCase() : token;
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

/** Phonemes of a text. */
function phonemesOf(text: string): string[] {
  return text.split(/\s+/).filter((phoneme) => phoneme !== "");
}

// Math.max(...values) would fail for large vocabularies, whose ids exceed the argument limit of a call.
function maxOf(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}
