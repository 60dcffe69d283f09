import { type Helper, Kernel } from "./kernel.ts";
import four from "./_four.wgsl" with { type: "text" };
import one from "./_one.wgsl" with { type: "text" };

/** A type of WGSL for every name that a shader leaves open. */
export type WgslTypes = Readonly<Record<string, string>>;

/** A shader that leaves types open, and is compiled for each choice of them. */
export class TypedKernel {
  readonly #name: string;
  readonly #source: string;
  readonly #helpers: readonly Helper[];
  readonly #made = new Map<string, Kernel>();

  /**
   * Nothing is compiled yet.
   *
   * @param name Stem of the shader's file.
   * @param source WGSL text, in which `X` is a type left open, and `X_TEXEL` the format of texels of four of them.
   * @param helpers Texts appended to it.
   */
  constructor(name: string, source: string, helpers: readonly Helper[]) {
    this.#name = name;
    this.#source = source;
    this.#helpers = helpers;
  }

  /**
   * The shader for types; its lines keep their numbers.
   *
   * @param width f32 of a `Number`, if it is written for those.
   */
  of(types: WgslTypes, width?: 1 | 4): Kernel {
    const key = [...Object.values(types), width].join();
    const known = this.#made.get(key);
    if (known) return known;
    const half = key.includes("f16");
    let text = half ? `enable f16; ${this.#source}` : this.#source;
    const helpers = [...this.#helpers, ...(width ? [width === 4 ? four : one] : [])];
    for (const [name, type] of Object.entries(types)) {
      text = text.replaceAll(`<${name}_TEXEL,`, type === "f16" ? "<rgba16float," : "<rgba32float,");
      helpers.push(`alias ${name} = ${type};`);
    }
    const kernel = new Kernel(half ? `${this.#name}_f16` : this.#name, text, helpers);
    this.#made.set(key, kernel);
    return kernel;
  }
}
