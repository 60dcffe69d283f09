import { parseSafetensors, toFloat32, toInt32 } from "../model/checkpoint/safetensors.ts";
import { type Nd, nd } from "./oracle/nd.ts";

/** A file of tests/testdata that remembers which of its tensors were read. */
export class Fixtures {
  #file: ReturnType<typeof parseSafetensors>;
  #read = new Set<string>();

  /** @param name Path of a safetensors file below tests/testdata. */
  constructor(name: string) {
    const url = new URL(`./testdata/${name}`, import.meta.url);
    this.#file = parseSafetensors(Deno.readFileSync(url), name);
  }

  /** The file's metadata. */
  get metadata(): Record<string, string> {
    return this.#file.metadata;
  }

  /** A tensor of floats. */
  nd(name: string): Nd {
    const entry = this.#entry(name);
    return nd(entry.shape, toFloat32(entry));
  }

  /** A tensor of whole numbers. */
  integers(name: string): number[] {
    return [...toInt32(this.#entry(name))];
  }

  /** Names that were not read yet. */
  unread(): string[] {
    return [...this.#file.tensors.keys()].filter((name) => !this.#read.has(name));
  }

  #entry(name: string) {
    const entry = this.#file.tensors.get(name);
    if (entry === undefined) throw new Error(`Cannot find the fixture: ${name}`);
    this.#read.add(name);
    return entry;
  }
}
