// JsonFields of a JSON file, each checked when it is read: what a file says may be anything.

// Deeper files would overflow the stack of whoever walks them.
const DEEPEST = 64;

/** Largest size a file may name; far above every model, and low enough that no list of it fills the memory. */
const LARGEST = 2 ** 20;

/** Bounds of a number, both allowed. */
export interface Bounds {
  /** 1 unless given. */
  readonly least?: number;
  /** 2^20 unless given. */
  readonly most?: number;
}

/**
 * The fields of a JSON object, read by name. A field that is `null` counts as left out, as in Python's writers.
 * Every method throws one line that names file and field: `SyntaxError` for a text that is no JSON object,
 * `TypeError` for a field that is missing or of another type, `RangeError` for a value out of range.
 *
 * @example
 * ```ts
 * import { JsonFields } from "./json_fields.ts";
 *
 * const fields = new JsonFields('{ "hidden_size": 768 }', "config.json");
 * fields.whole("hidden_size"); // 768
 * fields.flag("conv_bias", false); // false
 * ```
 */
export class JsonFields {
  /** The object's own fields, unchecked. */
  readonly raw: Readonly<Record<string, unknown>>;
  #name: string;

  /**
   * Parses the object.
   *
   * @param text JSON of an object.
   * @param name What to call it in errors, such as its path.
   * @throws {SyntaxError} If it is none.
   */
  constructor(text: string, name: string) {
    const fail = (rule: string, found: string) => {
      throw new SyntaxError(`Cannot read ${printable(name)} as ${rule}: ${printable(found)}`);
    };
    this.#name = name;
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch (error) {
      fail("it must be JSON", (error as Error).message);
    }
    if (depthOf(text) > DEEPEST) fail(`it may nest ${DEEPEST} levels deep`, `it nests ${depthOf(text)}`);
    if (!isObject(raw)) fail("it must be an object", show(raw));
    this.raw = raw as Record<string, unknown>;
  }

  /** Whether the field is there. */
  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  /** A whole number, or `otherwise` where it is left out. */
  whole(key: string, otherwise?: number, bounds: Bounds = {}): number {
    return this.#or(key, otherwise, (value) => this.#whole(key, value, bounds));
  }

  /** A number, or `otherwise` where it is left out. */
  number(key: string, otherwise: number | undefined, bounds: Required<Bounds>): number {
    return this.#or(key, otherwise, (value) => {
      if (typeof value !== "number") return this.fail(key, "must be a number");
      if (!(value >= bounds.least && value <= bounds.most)) {
        return this.refuse(key, `must be a number from ${bounds.least} to ${bounds.most}`);
      }
      return value;
    });
  }

  /** True or false, or `otherwise` where it is left out. */
  flag(key: string, otherwise?: boolean): boolean {
    return this.#or(key, otherwise, (value) => {
      return typeof value === "boolean" ? value : this.fail(key, "must be true or false");
    });
  }

  /** One of some words, or `otherwise` where it is left out. */
  word<const W extends string>(key: string, words: readonly W[], otherwise?: W): W {
    return this.#or(key, otherwise, (value) => {
      const choice = `must be ${words.map((word) => `"${word}"`).join(" or ")}`;
      if (typeof value !== "string") return this.fail(key, choice);
      return words.find((word) => word === value) ?? this.refuse(key, choice);
    });
  }

  /** A list of whole numbers; with `length` of that many, and one number then stands for as many equal ones. */
  wholes(key: string, length?: number, bounds: Bounds = {}): number[] {
    const value = this.#or<unknown>(key, undefined, (value) => value);
    if (!Array.isArray(value)) {
      if (length === undefined) return this.fail(key, "must be a list");
      return new Array<number>(length).fill(this.#whole(key, value, bounds));
    }
    if (length !== undefined && value.length !== length) {
      return this.refuse(key, `must have ${length} numbers`, `it has ${value.length}`);
    }
    return value.map((item) => this.#whole(key, item, bounds));
  }

  /** Lists of whole numbers, `length` lists. */
  lists(key: string, length: number, bounds: Bounds = {}): number[][] {
    const value = this.#get(key);
    if (!Array.isArray(value) || !value.every(Array.isArray)) {
      return this.fail(key, "must be a list of lists");
    }
    if (value.length !== length) {
      return this.refuse(key, `must have ${length} lists`, `it has ${value.length}`);
    }
    return value.map((list: unknown[]) => list.map((item) => this.#whole(key, item, bounds)));
  }

  /** A list of strings, empty where it is left out. */
  words(key: string): string[] {
    return this.#or(key, [], (value) => {
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      return this.fail(key, "must be a list of strings");
    });
  }

  /** Complains about the type of a field. @throws {TypeError} Always. */
  fail(key: string, rule: string, found = this.#found(key)): never {
    throw new TypeError(`Cannot read ${printable(this.#name)} as ${key} ${rule}: ${found}`);
  }

  /** Complains about the value of a field. @throws {RangeError} Always. */
  refuse(key: string, rule: string, found = this.#found(key)): never {
    throw new RangeError(`Cannot read ${printable(this.#name)} as ${key} ${rule}: ${found}`);
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.raw, key) ? this.raw[key] ?? undefined : undefined;
  }

  #found(key: string): string {
    const value = this.#get(key);
    return value === undefined ? "it is missing" : `it is ${show(value)}`;
  }

  #or<T>(key: string, otherwise: T | undefined, read: (value: unknown) => T): T {
    const value = this.#get(key);
    if (value !== undefined) return read(value);
    return otherwise ?? this.fail(key, "is needed");
  }

  #whole(key: string, value: unknown, { least = 1, most = LARGEST }: Bounds): number {
    const rule = `must be ${Array.isArray(this.#get(key)) ? "whole numbers" : "a whole number"}`;
    if (typeof value !== "number") return this.fail(key, rule);
    if (!Number.isInteger(value) || value < least || value > most) {
      return this.refuse(key, `${rule} from ${least} to ${most}`);
    }
    return value;
  }
}

/** Text of a file as part of an error: one short line of printable ASCII. */
export function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, " ");
  return line.length > 160 ? line.slice(0, 157) + "..." : line;
}

/** A value of a file as part of an error. */
export function show(value: unknown): string {
  if (typeof value === "number") return String(value); // JSON has no infinity
  const flat = !Array.isArray(value) || value.every((item) => typeof item !== "object");
  return flat && !isObject(value) ? printable(JSON.stringify(value)) : "something nested";
}

/** Whether a JSON value is an object, which a list is not. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How deep valid JSON nests. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at++) {
    const mark = json[at];
    if (quoted && mark === "\\") at++;
    else if (mark === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (mark === "[" || mark === "{") deepest = Math.max(deepest, ++depth);
    else if (mark === "]" || mark === "}") depth--;
  }
  return deepest;
}
