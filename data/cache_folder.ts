/**
 * The cache folder of the program: `XDG_CACHE_HOME/espalier`, on Windows `LOCALAPPDATA\espalier`, on macOS
 * `~/Library/Caches/espalier`, else `~/.cache/espalier`.
 *
 * @param env Environment variables; default those of the process.
 * @param os Operating system as Deno names it; default the current one.
 * @returns Path of the folder, which may not exist.
 * @throws {TypeError} If the environment names no folder.
 *
 * @example
 * ```ts
 * import { cacheFolder } from "./cache_folder.ts";
 *
 * cacheFolder({ get: (name) => ({ HOME: "/home/ada" })[name] }, "linux"); // "/home/ada/.cache/espalier"
 * ```
 */
export function cacheFolder(
  env: { get(name: string): string | undefined } = Deno.env,
  os: string = Deno.build.os,
): string {
  const chosen = env.get("XDG_CACHE_HOME") || (os === "windows" ? env.get("LOCALAPPDATA") : "");
  if (chosen) return `${chosen}/espalier`;
  const home = env.get("HOME") || env.get("USERPROFILE");
  if (!home) throw new TypeError("Cannot find the cache folder as HOME must name a folder: it is not set");
  return os === "darwin" ? `${home}/Library/Caches/espalier` : `${home}/.cache/espalier`;
}
