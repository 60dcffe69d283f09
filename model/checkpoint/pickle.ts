// Interprets Python's pickle format as far as files of tensors need it. Nothing is imported or executed: a global is its name, and a
// call of an unknown one gives an inert value. Long because of the table of opcodes:
// https://github.com/python/cpython/blob/main/Lib/pickletools.py

import { view } from "./safetensors_format.ts";
import type { Fail } from "./zip_directory.ts";

/** A class or function by its name, `module.name`. */
export class Global {
  /** @param name Its name. */
  constructor(readonly name: string) {}
}

/** The result of a call that was not made, or an object that was not built. */
export class Inert {
  /** @param of Name of what would have made it. */
  constructor(readonly of: string) {}
}

/** How persistent ids and calls of a pickle are resolved. */
export interface PickleOptions {
  /** Resolves a persistent id: a tuple. */
  readonly persistent: (id: unknown) => unknown;
  /** The result of a call, or undefined for an inert value. */
  readonly call: (name: string, args: readonly unknown[]) => unknown;
  /** Called with the rule that the pickle breaks. */
  readonly fail: Fail;
}

/** Where a tuple or list begins on the stack. */
const MARK = Symbol("mark");

/** Steps of a program: opcodes, and arguments of calls. A state_dict takes some 30 for every tensor. */
const MAX_STEPS = 2 ** 20;

/** Dictionaries and sets, which take far more memory than their opcode: one for every tensor, and a few. */
const MAX_MAPS = 2 ** 16;

/** Bytes of the name of a module, class or function, with its line break. */
const MAX_LINE = 1000;

/** Bytes of a text; longer ones, such as the source of a module, are inert. */
const MAX_TEXT = 2 ** 16;

/**
 * Reads one pickle, protocols 2 to 5.
 *
 * @param bytes Bytes that contain it.
 * @param start Offset of its first byte.
 * @param options How calls and persistent ids are resolved.
 * @returns Its value, with dictionaries as maps, lists and tuples as arrays; and the offset after it.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  options: PickleOptions,
): { value: unknown; end: number } {
  const machine = new Machine(bytes, start, options);
  return { value: machine.run(), end: machine.at };
}

/** Stack machine for the program in a pickle. Time and memory are bounded by the number of steps and the length of the program. */
class Machine {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  readonly #options: PickleOptions;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #text = new TextDecoder();
  #steps = 0;
  #maps = 0;

  constructor(bytes: Uint8Array, start: number, options: PickleOptions) {
    this.#bytes = bytes;
    this.#data = view(bytes);
    this.at = start;
    this.#options = options;
  }

  run(): unknown {
    while (true) {
      const code = this.#byte();
      if (code === 0x2e) return this.#pop(); // STOP
      this.#spend(1);
      this.#step(code);
    }
  }

  /** Long because it is the table of opcodes. */
  #step(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case 0x80: // PROTO
        return void this.#take(1);
      case 0x95: // FRAME
        return void this.#take(8);
      case 0x28: // MARK
        return void stack.push(MARK);
      case 0x30: // POP
        return void this.#pop();
      case 0x31: // POP_MARK
        return void this.#toMark();
      case 0x32: // DUP
        return void stack.push(this.#top());
      case 0x4e: // NONE
        return void stack.push(null);
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        return void stack.push(code === 0x88);
      case 0x4b: // BININT1
        return void stack.push(this.#byte());
      case 0x4d: // BININT2
        return void stack.push(this.#data.getUint16(this.#take(2), true));
      case 0x4a: // BININT
        return void stack.push(this.#data.getInt32(this.#take(4), true));
      case 0x8a: // LONG1
        return void stack.push(this.#long(this.#byte()));
      case 0x8b: // LONG4
        return void stack.push(this.#long(this.#length(4)));
      case 0x47: // BINFLOAT
        return void stack.push(this.#data.getFloat64(this.#take(8), false));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return void stack.push(this.#string(this.#byte()));
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return void stack.push(this.#string(this.#length(4)));
      case 0x8d: // BINUNICODE8
        return void stack.push(this.#string(this.#length(8)));
      case 0x43: // SHORT_BINBYTES
        return void stack.push(this.#blob(this.#byte()));
      case 0x42: // BINBYTES
        return void stack.push(this.#blob(this.#length(4)));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return void stack.push(this.#blob(this.#length(8)));
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return void stack.push([]);
      case 0x7d: // EMPTY_DICT
        return void stack.push(this.#map());
      case 0x8f: // EMPTY_SET
        return void stack.push(this.#set([]));
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return void stack.push(this.#toMark());
      case 0x64: { // DICT
        const pairs = this.#toMark();
        const made = this.#map();
        this.#setItems(made, pairs);
        return void stack.push(made);
      }
      case 0x91: // FROZENSET
        return void stack.push(this.#set(this.#toMark()));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return void stack.push(Array.from({ length: code - 0x84 }, () => this.#pop()).reverse());
      case 0x61: { // APPEND
        const item = this.#pop();
        return this.#append(this.#top(), [item]);
      }
      case 0x65: { // APPENDS
        const items = this.#toMark();
        return this.#append(this.#top(), items);
      }
      case 0x90: { // ADDITEMS
        const items = this.#toMark();
        const set = this.#top();
        if (set instanceof Set) { for (const item of items) set.add(item); }
        return;
      }
      case 0x73: { // SETITEM
        const value = this.#pop();
        const key = this.#pop();
        return this.#setItems(this.#top(), [key, value]);
      }
      case 0x75: { // SETITEMS
        const pairs = this.#toMark();
        return this.#setItems(this.#top(), pairs);
      }
      case 0x71: // BINPUT
        return void this.#memo.set(this.#byte(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(this.#length(4), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return void stack.push(this.#recall(this.#byte()));
      case 0x6a: // LONG_BINGET
        return void stack.push(this.#recall(this.#length(4)));
      case 0x63: { // GLOBAL
        const module = this.#line();
        return void stack.push(new Global(`${module}.${this.#line()}`));
      }
      case 0x93: { // STACK_GLOBAL
        const name = this.#pop();
        const module = this.#pop();
        if (typeof module !== "string" || typeof name !== "string") {
          return this.#options.fail("a pickle's globals are named by texts", "one is not");
        }
        return void stack.push(new Global(`${module}.${name}`));
      }
      case 0x51: // BINPERSID
        return void stack.push(this.#options.persistent(this.#pop()));
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const args = this.#pop();
        return void stack.push(this.#call(this.#pop(), args));
      }
      case 0x92: { // NEWOBJ_EX
        this.#pop();
        const args = this.#pop();
        return void stack.push(this.#call(this.#pop(), args));
      }
      case 0x62: // BUILD: the attributes of an object, such as the metadata of a state_dict
        return void this.#pop();
      default:
        return this.#options.fail(
          "a pickle's opcodes must be known",
          `0x${code.toString(16)} at byte ${this.at - 1}`,
        );
    }
  }

  #call(callee: unknown, args: unknown): unknown {
    const name = callee instanceof Global ? callee.name : callee instanceof Inert ? callee.of : "a value";
    if (!Array.isArray(args)) return new Inert(name);
    this.#spend(args.length);
    for (const arg of args) if (Array.isArray(arg)) this.#spend(arg.length);
    const made = this.#options.call(name, args);
    if (made instanceof Map) this.#count();
    return made === undefined ? new Inert(name) : made;
  }

  /** Counts steps. */
  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) {
      this.#options.fail(`a pickle has at most ${MAX_STEPS} steps`, "it has more");
    }
  }

  /** Counts a dictionary or set. */
  #count(): void {
    if (++this.#maps > MAX_MAPS) {
      this.#options.fail(`a pickle has at most ${MAX_MAPS} dictionaries`, "it has more");
    }
  }

  #map(): Map<unknown, unknown> {
    this.#count();
    return new Map();
  }

  #set(items: readonly unknown[]): Set<unknown> {
    this.#count();
    return new Set(items);
  }

  #append(list: unknown, items: readonly unknown[]): void {
    if (list instanceof Inert) return;
    if (!Array.isArray(list)) {
      return this.#options.fail("a pickle may append only to lists", "it appends to something else");
    }
    for (const item of items) list.push(item);
  }

  #setItems(target: unknown, pairs: readonly unknown[]): void {
    if (target instanceof Inert) return;
    if (!(target instanceof Map)) {
      return this.#options.fail(
        "a pickle may set items only of dictionaries",
        "it sets one of something else",
      );
    }
    if (pairs.length % 2 > 0) this.#options.fail("a dictionary has a value for every key", "one is missing");
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  }

  #recall(index: number): unknown {
    if (!this.#memo.has(index)) {
      this.#options.fail("a pickle refers to what it has stored", `entry ${index} is missing`);
    }
    return this.#memo.get(index);
  }

  #toMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) this.#options.fail("a pickle's lists begin with a mark", "there is none");
    return this.#stack.splice(at).slice(1);
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length === 0 || value === MARK) {
      this.#options.fail("a pickle's stack must not be empty", "it is");
    }
    return value;
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Advances over the next `length` bytes and returns their offset. */
  #take(length: number): number {
    const { at } = this;
    if (!(at + length <= this.#bytes.length)) {
      this.#options.fail("a pickle ends with its stop code", `it is cut off at byte ${this.#bytes.length}`);
    }
    this.at += length;
    return at;
  }

  #length(bytes: 4 | 8): number {
    const at = this.#take(bytes);
    return bytes === 4 ? this.#data.getUint32(at, true) : Number(this.#data.getBigUint64(at, true));
  }

  #blob(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #string(length: number): unknown {
    const bytes = this.#blob(length);
    return length > MAX_TEXT ? new Inert("long text") : this.#text.decode(bytes);
  }

  /** A whole number, little-endian in two's complement; a long one that no size or offset can be is inert. */
  #long(length: number): unknown {
    const bytes = this.#blob(length);
    if (length > 16) return new Inert("large number");
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]!);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  #line(): string {
    const { at } = this;
    const line = this.#bytes.subarray(at, at + MAX_LINE);
    const end = line.indexOf(0x0a);
    if (end < 0) this.#options.fail("a pickle's names end with their line", `at byte ${at} one does not`);
    this.at = at + end + 1;
    return this.#text.decode(line.subarray(0, end));
  }
}
