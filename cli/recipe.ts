/**
 * Options that were given, and files of them.
 *
 * @module
 */
import { readFileIfExists } from "../model/checkpoint/atomic_file.ts";
import { type Command, type Options, parse, type Values } from "./command.ts";
import { UserError } from "./user_error.ts";

/** Options of a command that a run is made with, those that were given; kept in its state. */
export type Settings<O extends Options> = { readonly [K in keyof O]?: NonNullable<Values<O>[K]> };

/** Options that are about a call of the command, not about the run. */
const OF_COMMAND: readonly string[] = ["resume", "recipe", "dry-run", "json"];

/** The options that were given. */
export function givenOf<O extends Options>(values: Values<O>): Settings<O> {
  const kept = Object.entries(values).filter(([name, value]) => {
    return value !== undefined && value !== false && !OF_COMMAND.includes(name);
  });
  return Object.fromEntries(kept) as Settings<O>;
}

/**
 * Reads a recipe. Paths in it are taken from its folder.
 *
 * @param path the file
 * @param command the command whose options it names
 * @throws {UserError} it is no object of options; one line
 */
export async function readRecipe<O extends Options>(path: string, command: Command): Promise<Settings<O>> {
  const bytes = await readFileIfExists(path);
  const refuse = (rule: string, found: string) => new UserError(`Cannot read ${path} as ${rule}: ${found}`);
  if (!bytes) throw refuse("a recipe is a file", "there is none");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse("a recipe is JSON", (error as Error).message);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refuse("a recipe is an object of options", JSON.stringify(json));
  }
  const words = Object.entries(json).flatMap(([name, value]) => {
    if (name === "resume" || name === "recipe" || name === "help") {
      throw refuse("it cannot have this option", name);
    }
    if (command.options[name]?.type !== "flag") return [`--${name}=${value}`];
    if (typeof value !== "boolean") throw refuse(`${name} must be true or false`, JSON.stringify(value));
    return value ? [`--${name}`] : [];
  });
  try {
    const at = path.lastIndexOf("/");
    const folder = at < 0 ? "." : path.slice(0, at);
    const request = parse(command, words, folder);
    if (request.help) return {} as Settings<O>;
    const given: Record<string, unknown> = givenOf(request.values);
    // A model is a path or a name on the hub; with a dot it is a path.
    const { model } = given;
    const own = typeof model === "string" && model.startsWith(".");
    return { ...given, ...own && { model: withoutDots(`${folder}/${model}`) } } as Settings<O>;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} (in ${path})`);
  }
}

/** A path without `.` but for the first, and without `..` where a folder stands before it. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const [i, part] of path.split("/").entries()) {
    const last = kept.at(-1);
    if (part === "." || (part === "" && i > 0)) continue;
    if (part === ".." && last !== undefined && last !== "" && last !== "..") kept.pop();
    else kept.push(part);
  }
  const own = kept[0] !== "" && kept[0] !== "..";
  return `${own ? "./" : ""}${kept.join("/")}`;
}
