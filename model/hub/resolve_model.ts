import { fetchModel, type HubOptions, isModelId } from "./fetch_model.ts";

/**
 * The folder of a model: a path that is there, or else a name on the hub, whose files are then in the cache.
 *
 * @param source Path of a folder or file, or `ORGANISATION/NAME`.
 * @param options Where the hub and the cache are, and who is told of the download.
 * @returns Path; that of `source` itself if it is neither, for the reader to complain about.
 * @throws {HubError} If the download fails; one line.
 * @example
 * ```ts
 * import { resolveModel } from "./resolve_model.ts";
 *
 * console.log(await resolveModel("tests/testdata/base")); // "tests/testdata/base"
 * ```
 */
export async function resolveModel(source: string, options: HubOptions = {}): Promise<string> {
  if (!source.includes("/") || !isModelId(source)) return source;
  const isThere = await Deno.stat(source).then(() => true, () => false);
  return isThere ? source : await fetchModel(source, options);
}
