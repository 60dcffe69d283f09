// Makes kernels from preprocessed text, one for each set of values.
import type { Helper, Kernel } from "../../tensor/kernel.ts";
import { TypedKernel, type WgslTypes } from "../../tensor/typed_kernel.ts";
import type { Values } from "./preprocess.ts";

/** A shader that is preprocessed for a set of values and types, and compiled once for each. */
export class SpecializedKernel {
  readonly #name: string;
  readonly #build: (values: Values) => readonly [source: string, ...helpers: Helper[]];
  readonly #made = new Map<string, Kernel>();

  /**
   * Nothing is preprocessed yet.
   *
   * @param name Stem of the shader's name.
   * @param build Preprocesses the shader and the texts appended to it; the values include `WIDTH`, if there is a width.
   */
  constructor(name: string, build: (values: Values) => readonly [source: string, ...helpers: Helper[]]) {
    this.#name = name;
    this.#build = build;
  }

  /**
   * The kernel for a set of values. Its name lists those that are true.
   *
   * @param values Values of the preprocessor, always in the same order.
   * @param types Types that the shader leaves open.
   * @param width f32 of a `Number`, if the shader is written for those.
   */
  of(values: Values, types: WgslTypes, width?: 1 | 4): Kernel {
    let key = `${width}`; // loops, since every dispatch of the kernel passes here
    for (const name in values) key += `,${values[name]}`;
    for (const name in types) key += `,${types[name]}`;
    const known = this.#made.get(key);
    if (known) return known;
    const [source, ...helpers] = this.#build({ ...values, ...(width && { WIDTH: width }) });
    const flags = Object.keys(values).filter((name) => values[name] === true);
    const kernel = new TypedKernel(`${this.#name}[${flags}]`, source, helpers).of(types, width);
    this.#made.set(key, kernel);
    return kernel;
  }
}
