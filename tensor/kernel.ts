/** What a shader variable is bound to. */
export type BindingKind = "read" | "write" | "uniform" | "texture-read" | "texture-write";

/** A resource variable of a shader: `@group(0) @binding(index) var… name`. */
export interface ShaderBinding {
  /** Variable name in the WGSL text. */
  readonly name: string;
  /** Its `@binding` number. */
  readonly index: number;
  /** How the shader uses it. */
  readonly kind: BindingKind;
  /** Format of a texture's texels. */
  readonly format?: TexelFormat;
}

/** WGSL text appended to a shader, in two variants with the same functions. */
export interface SubgroupHelper {
  /** For devices without subgroups. */
  readonly without: string;
  /** For devices with subgroups. */
  readonly with: string;
}

/** WGSL text appended to a shader. */
export type Helper = string | SubgroupHelper;

/** Format of texels of four elements. */
export type TexelFormat = "rgba32float" | "rgba16float";

/** A scalar field of `struct Params`. */
export interface ShaderField {
  /** Field name. */
  readonly name: string;
  /** WGSL scalar type. */
  readonly type: "u32" | "i32" | "f32";
}

const stripComments = (source: string) => source.replace(/\/\/[^\n]*/g, "").replace(/\/\*[\s\S]*?\*\//g, "");

function kindOf(space: string | undefined, type: string): BindingKind {
  if (space === undefined) return type.endsWith("write>") ? "texture-write" : "texture-read";
  if (space.startsWith("uniform")) return "uniform";
  return space.includes("read_write") ? "write" : "read";
}

/** Format of a `texture_storage_2d<format, access>`. */
const formatOf = (type: string) => /<\s*(\w+)/.exec(type)![1] as TexelFormat;

/** Text of each function by name. */
function functionsOf(text: string): Map<string, string> {
  const bodies = new Map<string, string>();
  for (const match of text.matchAll(/\bfn\s+(\w+)\s*\(/g)) {
    let depth = 0;
    let end = text.indexOf("{", match.index);
    for (; end < text.length; end++) {
      if (text[end] === "{") depth++;
      if (text[end] === "}" && --depth === 0) break;
    }
    bodies.set(match[1]!, text.slice(match.index, end + 1));
  }
  return bodies;
}

/**
 * A WGSL module: its text, and the bindings, `Params` fields and entry points read from that text, so that the
 * host binds by name. Shaders use `@group(0)` alone, and one uniform of type `Params`.
 *
 * @example
 * ```ts
 * import { Kernel, requestGpu } from "../mod.ts";
 *
 * const kernel = new Kernel("double", `
 *   struct Params { n: u32 }
 *   @group(0) @binding(0) var<storage, read_write> y: array<f32>;
 *   @group(0) @binding(1) var<uniform> params: Params;
 *   @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
 *     if (id.x < params.n) { y[id.x] *= 2.0; }
 *   }`);
 * using gpu = await requestGpu();
 * const y = gpu.tensor([1, 2, 3]);
 * gpu.run(kernel, { bind: { y }, params: { n: y.size }, workgroups: Math.ceil(y.size / 64) });
 * console.log(await y.read()); // [2, 4, 6]
 * ```
 */
export class Kernel {
  /** Name in labels and errors; the stem of the shader's file. */
  readonly name: string;
  /** WGSL text for devices without subgroups. */
  readonly source: string;
  /** WGSL text for devices with subgroups, without the line that enables them; null if it does not differ. */
  readonly subgroupSource: string | null;
  /** Whether it shuffles values within subgroups, for devices of {@linkcode Gpu.shuffles} alone. */
  readonly shuffles: boolean;
  /** Resource variables. */
  readonly bindings: readonly ShaderBinding[];
  /** Fields of `Params` in order, 4 bytes each. */
  readonly params: readonly ShaderField[];
  readonly #functions: Map<string, string>;
  readonly #used = new Map<string, readonly ShaderBinding[]>();

  /**
   * Parses the text; it is compiled with the first dispatch.
   *
   * @param name Stem of the shader's file.
   * @param source WGSL text.
   * @param helpers Texts appended to it.
   * @throws {SyntaxError} If `Params` has a field that is not a scalar.
   */
  constructor(name: string, source: string, helpers: readonly Helper[] = []) {
    this.name = name;
    const whole = (which: keyof SubgroupHelper) =>
      [source, ...helpers.map((helper) => typeof helper === "string" ? helper : helper[which])].join("\n");
    this.source = whole("without");
    const differs = helpers.some((helper) => typeof helper !== "string");
    this.subgroupSource = differs ? whole("with") : null;
    const text = stripComments(this.source);
    this.shuffles = text.includes("subgroupShuffle(");
    const variable = /@group\(0\)\s*@binding\((\d+)\)\s*var\s*(?:<([^>]*)>)?\s*(\w+)\s*:\s*([^;]+);/g;
    this.bindings = [...text.matchAll(variable)].map((match) => ({
      name: match[3]!,
      index: Number(match[1]),
      kind: kindOf(match[2], match[4]!),
      ...(match[2] === undefined && { format: formatOf(match[4]!) }),
    }));
    const struct = /struct\s+Params\s*\{([^}]*)\}/.exec(text);
    const fields = (struct?.[1] ?? "").split(",").map((field) => field.trim()).filter(Boolean);
    this.params = fields.map((field) => {
      const match = /^(\w+)\s*:\s*(u32|i32|f32)$/.exec(field);
      if (!match) {
        throw new SyntaxError(
          `Cannot read Params of ${name} as its fields must be u32, i32 or f32: found "${field}"`,
        );
      }
      return { name: match[1]!, type: match[2] as ShaderField["type"] };
    });
    this.#functions = functionsOf(text);
  }

  /** The bindings that an entry point or the functions that it calls use. @throws {TypeError} If there is no such entry point. */
  used(entry: string): readonly ShaderBinding[] {
    const known = this.#used.get(entry);
    if (known) return known;
    if (!this.#functions.has(entry)) {
      throw new TypeError(
        `Cannot run ${this.name} as it has no entry point of that name: "${entry}"`,
      );
    }
    const reached = new Set([entry]);
    const words = new Set<string>();
    for (const name of reached) {
      for (const [word] of this.#functions.get(name)!.matchAll(/(?<![.\w])[A-Za-z_]\w*/g)) {
        words.add(word);
        if (this.#functions.has(word)) reached.add(word);
      }
    }
    const used = this.bindings.filter((binding) => words.has(binding.name));
    this.#used.set(entry, used);
    return used;
  }

  /**
   * Writes the values of `Params` to a buffer, in bytes from `byteOffset`.
   *
   * @throws {TypeError} If a field is missing, unknown or out of the range of its type.
   */
  writeParams(view: DataView, byteOffset: number, values: Record<string, number>): void {
    let at = byteOffset;
    for (let i = 0; i < this.params.length; i++) { // loops without iterators, since every dispatch passes here
      const { name, type } = this.params[i]!;
      const value = values[name];
      const fits = value !== undefined &&
        (type === "f32" ? !Number.isNaN(value) : Number.isInteger(value)) &&
        (type !== "u32" || (value >= 0 && value <= 0xffffffff));
      if (!fits) {
        throw new TypeError(
          `Cannot run ${this.name} as Params.${name} must be ${type}: found ${value}`,
        );
      }
      if (type === "f32") view.setFloat32(at, value, true);
      else if (type === "i32") view.setInt32(at, value, true);
      else view.setUint32(at, value, true);
      at += 4;
    }
    let given = 0;
    for (const _ in values) given++;
    if (given !== this.params.length) {
      const known = new Set(this.params.map((field) => field.name));
      const extra = Object.keys(values).filter((name) => !known.has(name));
      throw new TypeError(`Cannot run ${this.name} as Params has no such field: ${extra}`);
    }
  }
}
