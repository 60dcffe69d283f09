type Names = string | readonly string[];
type Value = string | number | boolean;

/** What {@linkcode parseArgs} is told about the options. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
> {
  /** Keep what follows `--` apart, under that key, and not among the positional arguments. */
  "--"?: boolean;
  /** Other names of an option. */
  alias?: Record<string, Names>;
  /** Options without a value, false unless given. */
  boolean?: B | readonly B[];
  /** Values of options that are not given. */
  default?: D;
  /** Options whose values are gathered in a list. */
  collect?: C | readonly C[];
  /** Options that `--no-NAME` sets to false. */
  negatable?: Names;
  /** Take everything after the first positional argument as positional. */
  stopEarly?: boolean;
  /** Options whose value stays a string; `_` does so for the positional arguments. */
  string?: S | readonly S[];
  /** Called with what is not declared; it is left out where this returns false. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The options given, and the positional arguments under `_`. */
export type Args<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D = unknown,
> =
  & Record<string, unknown>
  & { [K in Exclude<B, C>]: boolean }
  & { [K in Extract<S, C>]: string[] }
  & { [K in Exclude<S, C>]: K extends keyof D ? string | D[K] : string | undefined }
  & { _: (string | number)[]; "--"?: string[] };

/**
 * Reads a command line. `--name value`, `--name=value`, `-n value` and `-abc` are options, what is
 * left is positional, and everything after `--` is.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
>(args: readonly string[], options: ParseOptions<B, S, C, D> = {}): Args<B, S, C, D> {
  return new Parser(options).parse(args) as Args<B, S, C, D>;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, Set<string>>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #found: Record<string, unknown> & { _: (string | number)[]; "--"?: string[] } = { _: [] };

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const group = [name, ...list(others)];
      for (const one of group) this.#aliases.set(one, new Set(group));
    }
    this.#booleans = this.#declared(options.boolean);
    this.#strings = this.#declared(options.string);
    this.#collected = this.#declared(options.collect);
    this.#negatable = this.#declared(options.negatable);
  }

  parse(args: readonly string[]): Record<string, unknown> {
    const end = args.indexOf("--");
    const rest = end < 0 ? [] : args.slice(end + 1);
    const words = end < 0 ? [...args] : args.slice(0, end);
    while (words.length > 0) {
      const word = words.shift() ?? "";
      if (word.startsWith("--")) this.#long(word, words);
      else if (word.startsWith("-") && word !== "-") this.#short(word, words);
      else {
        this.#positional(word);
        if (this.#options.stopEarly) { for (const one of words.splice(0)) this.#found._.push(one); }
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.#found["--"] = rest;
    else this.#found._.push(...rest);
    return this.#found;
  }

  #long(word: string, words: string[]): void {
    const { name = "", value } = /^--(?<name>[^=]+)(?:=(?<value>.*))?$/s.exec(word)?.groups ?? {};
    const positive = name.slice("no-".length);
    if (value !== undefined) {
      this.#set(name, this.#booleans.has(name) ? value !== "false" : value, word);
    } else if (name.startsWith("no-") && this.#negatable.has(positive)) {
      this.#assign(positive, false);
    } else {
      this.#set(name, this.#valueAfter(name, words), word);
    }
  }

  /** `-v`, `-n 3`, `-n3`, `-n=3`, or several letters without a value: `-abc`. */
  #short(word: string, words: string[]): void {
    const letters = word.slice(1);
    for (let i = 0; i < letters.length; i++) {
      const name = letters.charAt(i);
      const rest = letters.slice(i + 1);
      if (rest.startsWith("=")) return this.#set(name, rest.slice(1), word);
      if (rest !== "" && /^-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return this.#set(name, rest, word);
      if (rest !== "") this.#set(name, this.#strings.has(name) ? "" : true, word);
      else this.#set(name, this.#valueAfter(name, words), word);
    }
  }

  /** Takes the next word as a value where there is one and the option wants one. */
  #valueAfter(name: string, words: string[]): Value {
    const next = words[0];
    const isBoolean = this.#booleans.has(name);
    if (isBoolean && (next === "true" || next === "false")) return words.shift() === "true";
    if (!isBoolean && next !== undefined && !next.startsWith("-")) return words.shift() ?? "";
    return this.#strings.has(name) ? "" : true;
  }

  #positional(word: string): void {
    if (this.#options.unknown?.(word) === false) return;
    this.#found._.push(this.#strings.has("_") ? word : numberOr(word));
  }

  #set(name: string, value: Value, word: string): void {
    const known = [this.#booleans, this.#strings, this.#aliases].some((set) => set.has(name));
    if (!known && this.#options.unknown?.(word, name, value) === false) return;
    const typed = typeof value === "string" && !this.#strings.has(name) ? numberOr(value) : value;
    this.#assign(name, typed);
  }

  #assign(name: string, value: Value): void {
    for (const one of this.#group(name)) {
      const before = this.#found[one];
      if (!this.#collected.has(one)) this.#found[one] = value;
      else if (Array.isArray(before)) before.push(value);
      else this.#found[one] = [value];
    }
  }

  #fillIn(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      for (const one of this.#group(name)) this.#found[one] ??= value;
    }
    for (const name of this.#booleans) this.#found[name] ??= this.#collected.has(name) ? [] : false;
    for (const name of this.#strings) if (this.#collected.has(name)) this.#found[name] ??= [];
  }

  #declared(names: Names | undefined): Set<string> {
    return new Set(list(names).flatMap((name) => [...this.#group(name)]));
  }

  #group(name: string): Iterable<string> {
    return this.#aliases.get(name) ?? [name];
  }
}

function list(names: Names | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

/** What looks like a number is one, unless the option is declared as a string. */
function numberOr(word: string): string | number {
  const isNumber = /^0x[0-9a-f]+$/i.test(word) ||
    /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/.test(word);
  return isNumber ? Number(word) : word;
}
