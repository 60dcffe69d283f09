import { type Helper, Kernel } from "./kernel.ts";
import four from "./_four.wgsl" with { type: "text" };
import one from "./_one.wgsl" with { type: "text" };

/** WGSL type for each type parameter of a shader. */
export type WgslTypes = Readonly<Record<string, string>>;

/** A shader with type parameters, which is compiled for each choice of types. */
export class TypedKernel {
  readonly #name: string;
  readonly #source: string;
  readonly #helpers: readonly Helper[];
  readonly #made = new Map<string, Kernel>();

  /**
   * Compiles nothing yet.
   *
   * @param name Stem of the shader's file.
   * @param source WGSL text, in which `X` is a type parameter and `X_TEXEL` the format of texels of four elements of it.
   * @param helpers Texts appended to it.
   */
  constructor(name: string, source: string, helpers: readonly Helper[]) {
    this.#name = name;
    this.#source = source;
    this.#helpers = helpers;
  }

  /**
   * The shader for given types; line numbers stay those of the text.
   *
   * @param types Type by parameter.
   * @param width Number of f32 in the type `Number`, if the shader uses it.
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
