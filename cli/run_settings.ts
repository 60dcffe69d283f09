/**
 * The options of a run: from a recipe, from the command line, or saved by an earlier session.
 *
 * @module
 */
import { readFileIfExists } from "../files/atomic_file.ts";
import { type Command, parse } from "./command.ts";
import { type Given, type Options, withDefaults } from "./options.ts";
import { withCurrentNames } from "./renamed_options.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Options of one call of a command; they are not saved with the run. */
const OF_CALL: readonly string[] = ["resume", "recipe", "dry-run", "json", "accept-changes"];

/** The options that belong to the run. */
export function settingsOfRun<O extends Options>(given: Given<O>): Given<O> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !OF_CALL.includes(name))) as Given<O>;
}

/** Saved options by their current names. */
export function savedSettings<O extends Options>(
  saved: Readonly<Record<string, unknown>>,
  options: O,
): Given<O> {
  return withCurrentNames(saved, options).given as Given<O>;
}

/** An option that a resumed run is given, and that differs from the saved one. */
export interface ChangedOption {
  readonly name: string;
  readonly value: unknown;
  /** The saved value, or `not given`. */
  readonly before: unknown;
}

/** The options that differ from those of the saved run, defaults included. */
export function changedOptions<O extends Options>(
  options: O,
  given: Given<O>,
  saved: Given<O>,
): ChangedOption[] {
  const before: Readonly<Record<string, unknown>> = withDefaults(options, saved);
  return Object.entries(given)
    .filter(([name, value]) => name !== "out" && value !== before[name])
    .map(([name, value]) => ({ name, value, before: saved[name] ?? "not given" }));
}

/**
 * Reads a recipe. Paths in it are relative to its folder.
 *
 * @param source the file, or its URL
 * @param command the command whose options it names
 * @throws {UserError} it is not an object of options; one line
 */
export async function readRecipe<O extends Options>(
  source: string | URL,
  command: Command,
): Promise<Given<O>> {
  const path = typeof source === "string" ? source : source.href;
  const json = await readJson(source);
  const refuse = (rule: string, found: string) => new UserError(`Cannot read ${path} as ${rule}: ${found}`);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refuse("a recipe is an object of options", JSON.stringify(json));
  }
  const { given: named, notes } = withCurrentNames(json as Record<string, unknown>, command.options);
  for (const text of notes) note(`${text} (in ${path})`);
  const words = Object.entries(named).map(([name, value]) => {
    if (
      name === "resume" || name === "accept-changes" || name === "recipe" || name === "help" ||
      name === "quiet"
    ) {
      throw refuse("it cannot have this option", name);
    }
    if (command.options[name]?.type === "flag" && typeof value !== "boolean") {
      throw refuse(`${name} must be true or false`, JSON.stringify(value));
    }
    return `--${name}=${value}`;
  });
  try {
    const slash = path.lastIndexOf("/");
    const folder = slash < 0 ? "." : path.slice(0, slash);
    const request = parse(command, words, folder);
    if (request.help) return {};
    const given: Record<string, unknown> = settingsOfRun(request.given);
    // A model is a path or a name on the hub; what begins with a dot is a path.
    const { model } = given;
    if (typeof model !== "string" || !model.startsWith(".")) return given as Given<O>;
    const place = typeof source === "string"
      ? normalizePath(`${folder}/${model}`)
      : new URL(model, source).href;
    return { ...given, model: place } as Record<string, unknown> as Given<O>;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} (in ${path})`);
  }
}

async function readJson(source: string | URL): Promise<unknown> {
  const bytes = typeof source === "string" ? await readFileIfExists(source) : await fetchBytes(source);
  if (!bytes) throw new UserError(`Recipe not found: ${source}`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError(`Cannot read ${source} as a recipe is JSON: ${(error as Error).message}`);
  }
}

async function fetchBytes(url: URL): Promise<Uint8Array | null> {
  const response = await fetch(url).catch((error) => {
    throw new UserError(`Cannot read ${url} as a recipe: ${error.message}`);
  });
  if (response.ok) return await response.bytes();
  await response.body?.cancel();
  return null;
}

/** A path without `.` but for the first, and without `..` where a folder stands before it. */
function normalizePath(path: string): string {
  const kept: string[] = [];
  for (const [i, part] of path.split("/").entries()) {
    const last = kept.at(-1);
    if (part === "." || (part === "" && i > 0)) continue;
    if (part === ".." && last !== undefined && last !== "" && last !== "..") kept.pop();
    else kept.push(part);
  }
  const isRelative = kept[0] !== "" && kept[0] !== "..";
  return `${isRelative ? "./" : ""}${kept.join("/")}`;
}
