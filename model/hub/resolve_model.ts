import { printable } from "../../files/printable.ts";
import { fetchModel, type HubOptions, isModelId } from "./fetch_model.ts";

/**
 * Returns the path of a model. An existing path is returned as it is; a name on the hub is downloaded into the cache.
 *
 * @param source Path of a folder or file, or `ORGANISATION/NAME` or `ORGANISATION/NAME@REVISION`.
 * @param options Hub, cache and progress callback.
 * @returns Path of the folder; `source` itself if it is neither, so that the reader reports the error.
 * @throws {HubError} If the download fails; one line.
 * @throws {RangeError} If the revision is malformed, or not that of the options.
 * @example
 * ```ts
 * import { resolveModel } from "./resolve_model.ts";
 *
 * console.log(await resolveModel("tests/testdata/base")); // "tests/testdata/base"
 * ```
 */
export async function resolveModel(source: string, options: HubOptions = {}): Promise<string> {
  const { id, revision = options.revision } = parseName(source);
  if (!id.includes("/") || !isModelId(id)) return source;
  if (await Deno.stat(source).then(() => true, () => false)) return source;
  if (options.revision !== undefined && revision !== options.revision) {
    throw new RangeError(
      `Cannot download ${printable(source)} as its revision must be that of the options: ${
        printable(options.revision)
      }`,
    );
  }
  return await fetchModel(id, { ...options, ...revision !== undefined && { revision } });
}

/** Name and revision of `NAME@REVISION`; a name without one has the default revision. */
function parseName(source: string): { id: string; revision?: string } {
  const at = source.indexOf("@");
  return at < 0 ? { id: source } : { id: source.slice(0, at), revision: source.slice(at + 1) };
}
