/**
 * Declarations of options: their types, their groups in the help, and their defaults.
 *
 * @module
 */

/** One option of a command. */
export type Option = FlagOption | TextOption | NumberOption;

/** A default that depends on other options, on the model or on what is on disk. */
export interface ComputedDefault<T> {
  /** What the help prints: `half of --steps`. */
  readonly text: string;
  /** Computes it from the options declared before this one, their defaults included; without it the command does. */
  readonly of?: (values: Readonly<Record<string, unknown>>) => T;
}

interface Declared<T> {
  /** What the option does, as half a sentence: `print JSON`. */
  readonly description: string;
  /** One letter that stands for the option. */
  readonly short?: string;
  /** Heading that the help lists it under, see {@linkcode group}. */
  readonly group?: string;
  /** The value unless one is given. */
  readonly default?: T;
}

/** On or off; `--no-NAME` turns it off where it is on by default or in a recipe. */
export interface FlagOption extends Declared<boolean> {
  readonly type: "flag";
}

interface Valued<T> extends Declared<T> {
  /** Placeholder of the value in the help: `MODEL`. */
  readonly value?: string;
  /** Instead of `default`. */
  readonly computed?: ComputedDefault<T>;
  /** Whether the command refuses to run without it. */
  readonly required?: boolean;
}

/** A word, one of `choices` where given; a `path` is relative to the user's folder. */
export interface TextOption extends Valued<string> {
  readonly type: "string" | "path";
  readonly choices?: readonly string[];
}

/** A finite number within the bounds, whole for `integer`. */
export interface NumberOption extends Valued<number> {
  readonly type: "number" | "integer";
  readonly min?: number;
  readonly max?: number;
}

/** Largest number of steps. */
export const MOST_STEPS = 100_000_000;
/** Longest audio in seconds: ten hours. */
export const MOST_SECONDS = 36_000;
/** Largest learning rate and gradient norm, which the device has as f32. */
export const MOST_RATE = 1e38;
/** Largest number of utterances of a synthesised subset. */
export const MOST_UTTERANCES = 1_000_000;

/** The options of a command by name. */
export type Options = Readonly<Record<string, Option>>;

type Base<O extends Option> = O extends FlagOption ? boolean
  : O extends NumberOption ? number
  : O extends { choices: readonly (infer C)[] } ? C
  : string;

type Always = { type: "flag" } | { default: unknown } | { required: true } | {
  computed: { of: unknown };
};

/** The values that a command runs with, defaults included. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Always ? Base<O[K]> : Base<O[K]> | undefined;
};

/** The options that were given, without defaults. */
export type Given<O extends Options> = { readonly [K in keyof O]?: Base<O[K]> };

/**
 * Puts options under a heading of the help.
 *
 * @param name the heading
 * @param options the options, in the order of the help
 */
export function group<const O extends Options>(name: string, options: O): O {
  const grouped = Object.entries(options).map(([key, option]) => [key, { ...option, group: name }]);
  return Object.fromEntries(grouped) as O;
}

/**
 * Fills in the defaults. Recipes and saved options are merged before this.
 *
 * @param options declarations
 * @param given the options that were given
 * @returns the values of all options
 */
export function withDefaults<O extends Options>(options: O, given: Given<O>): Values<O> {
  const values: Record<string, unknown> = { ...given };
  for (const [name, option] of Object.entries(options)) {
    if (values[name] !== undefined) continue;
    if (option.type === "flag") values[name] = option.default ?? false;
    else values[name] = option.default ?? option.computed?.of?.(values);
  }
  return values as Values<O>;
}

/** The name of an option in the library: `grad-accum-steps` is `gradAccumSteps`. */
export type LibraryName<K extends string> = K extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<LibraryName<Rest>>}`
  : K;

/** An option as it is typed: `gradAccumSteps` is `--grad-accum-steps`. */
export function optionName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The values of options by their names in the library. */
export function libraryNames<V extends object>(
  values: V,
): { readonly [K in keyof V & string as LibraryName<K>]: V[K] } {
  const named = Object.entries(values).map(([name, value]) => {
    return [name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), value];
  });
  return Object.fromEntries(named);
}

/** What the help prints as an option's default; undefined where there is none. */
export function defaultText(option: Option): string | undefined {
  if (option.type === "flag") return undefined;
  const value = option.default;
  if (value === undefined) return option.computed?.text;
  return typeof value === "number" && value > 0 && value < 1e-3 ? value.toExponential() : String(value);
}
