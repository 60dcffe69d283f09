// Fields of a JSON file, checked when they are read; the content of a file is not trusted.
import { printable } from "../../files/printable.ts";

// Deeper files would overflow the stack of recursive code.
const MAX_DEPTH = 64;

/** Largest size in a file: far above every model, and low enough that lists of it fit in memory. */
const MAX_SIZE = 2 ** 20;

/** Inclusive bounds of a number. */
export interface Bounds {
  /** Minimum; default 1. */
  readonly least?: number;
  /** Maximum; default 2^20. */
  readonly most?: number;
}

/**
 * The fields of a JSON object, read by name. A `null` field counts as missing, as Python writes `None`. Every error is one line
 * that names file and field: `SyntaxError` if the text is not a JSON object, `TypeError` if a field is missing or has
 * another type, `RangeError` if a value is out of range.
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
  /** The parsed object, unchecked. */
  readonly raw: Readonly<Record<string, unknown>>;
  #name: string;

  /**
   * Parses a JSON object.
   *
   * @param text JSON text.
   * @param name File name for error messages.
   * @throws {SyntaxError} If it is not a JSON object.
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
    if (depthOf(text) > MAX_DEPTH) {
      fail(`it must nest at most ${MAX_DEPTH} levels`, `it nests ${depthOf(text)}`);
    }
    if (!isObject(raw)) fail("it must be an object", show(raw));
    this.raw = raw as Record<string, unknown>;
  }

  /** The same object with other values of some fields. */
  with(values: Readonly<Record<string, unknown>>): JsonFields {
    return new JsonFields(JSON.stringify({ ...this.raw, ...values }), this.#name);
  }

  /** Whether a field is present and not `null`. */
  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  /** Reads a whole number; `otherwise` if the field is missing. */
  whole(key: string, otherwise?: number, bounds: Bounds = {}): number {
    return this.#or(key, otherwise, (value) => this.#whole(key, value, bounds));
  }

  /** Reads a number; `otherwise` if the field is missing. */
  number(key: string, otherwise: number | undefined, bounds: Required<Bounds>): number {
    return this.#or(key, otherwise, (value) => {
      if (typeof value !== "number") return this.fail(key, "must be a number");
      if (!(value >= bounds.least && value <= bounds.most)) {
        return this.refuse(key, `must be a number from ${bounds.least} to ${bounds.most}`);
      }
      return value;
    });
  }

  /** Reads a boolean; `otherwise` if the field is missing. */
  flag(key: string, otherwise?: boolean): boolean {
    return this.#or(key, otherwise, (value) => {
      return typeof value === "boolean" ? value : this.fail(key, "must be true or false");
    });
  }

  /** Reads a list of `length` booleans; `otherwise` for all of them if the field is missing. */
  flags(key: string, length: number, otherwise: boolean): boolean[] {
    return this.#or(key, new Array<boolean>(length).fill(otherwise), (value) => {
      const isList = Array.isArray(value) && value.every((item) => typeof item === "boolean");
      if (!isList) return this.fail(key, "must be a list of true and false");
      if (value.length === length) return value;
      return this.refuse(key, `must have ${length} entries`, `it has ${value.length}`);
    });
  }

  /** Reads one of a set of strings; `otherwise` if the field is missing. */
  word<const W extends string>(key: string, words: readonly W[], otherwise?: W): W {
    return this.#or(key, otherwise, (value) => {
      const choice = `must be ${words.map((word) => `"${word}"`).join(" or ")}`;
      if (typeof value !== "string") return this.fail(key, choice);
      return words.find((word) => word === value) ?? this.refuse(key, choice);
    });
  }

  /** Reads a list of whole numbers. With `length`, a list of that many, or one number for all of them. */
  wholes(key: string, length?: number, bounds: Bounds = {}): number[] {
    const value = this.#or<unknown>(key, undefined, (value) => value);
    if (!Array.isArray(value)) {
      if (length === undefined) return this.fail(key, "must be a list");
      return new Array<number>(length).fill(this.#whole(key, value, bounds));
    }
    if (length !== undefined && value.length !== length) {
      return this.refuse(key, `must have ${length} entries`, `it has ${value.length}`);
    }
    return value.map((item) => this.#whole(key, item, bounds));
  }

  /** Reads `length` lists of whole numbers. */
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

  /** Reads a list of strings; empty if the field is missing. */
  words(key: string): string[] {
    return this.#or(key, [], (value) => {
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      return this.fail(key, "must be a list of strings");
    });
  }

  /** Reports a field of the wrong type. @throws {TypeError} Always. */
  fail(key: string, rule: string, found = this.#found(key)): never {
    throw new TypeError(`Cannot read ${printable(this.#name)} as ${key} ${rule}: ${found}`);
  }

  /** Reports a field with a wrong value. @throws {RangeError} Always. */
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

  #whole(key: string, value: unknown, { least = 1, most = MAX_SIZE }: Bounds): number {
    const rule = `must be ${Array.isArray(this.#get(key)) ? "whole numbers" : "a whole number"}`;
    if (typeof value !== "number") return this.fail(key, rule);
    if (!Number.isInteger(value) || value < least || value > most) {
      return this.refuse(key, `${rule} from ${least} to ${most}`);
    }
    return value;
  }
}

/** A JSON value for an error message. */
export function show(value: unknown): string {
  if (typeof value === "number") return String(value); // JSON has no infinity
  const flat = !Array.isArray(value) || value.every((item) => typeof item !== "object");
  return flat && !isObject(value) ? printable(JSON.stringify(value)) : "a nested value";
}

/** Whether a JSON value is an object and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nesting depth of valid JSON. */
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
