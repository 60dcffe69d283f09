import { fetchModel, type HubOptions, isModelId } from "./fetch_model.ts";

/**
 * Returns the path of a model. An existing path is returned as it is; a name on the hub is downloaded into the cache.
 *
 * @param source Path of a folder or file, or `ORGANISATION/NAME`.
 * @param options Hub, cache and progress callback.
 * @returns Path of the folder; `source` itself if it is neither, so that the reader reports the error.
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
  const exists = await Deno.stat(source).then(() => true, () => false);
  return exists ? source : await fetchModel(source, options);
}
