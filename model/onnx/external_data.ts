import { byteLengthOf, type DataPlace, type Initializer, rawData } from "./messages.ts";
import type { LazyBytes } from "./protobuf.ts";

/** Smaller constants, such as shapes, stay in the model file. */
const MIN_BYTES = 1024;

/** Data begins at multiples of this, so that runtimes can map it into memory. */
const ALIGNMENT = 4096;

/** A file with the data of constants. */
export interface DataFile {
  /** Its name; it belongs into the folder of the model file. */
  readonly name: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Its bytes, in parts; each is made when it is next. */
  parts(): Iterable<Uint8Array>;
}

/** The places of constants in other files than the model's, by name, and those files. */
export interface ExternalData {
  readonly places: ReadonlyMap<string, DataPlace>;
  readonly files: readonly DataFile[];
}

/**
 * Places the data of constants into the files `model.onnx_data`, `model.onnx_data_1` and so on: the names that transformers.js
 * loads.
 *
 * @param initializers The constants.
 * @param model Name of the model file.
 * @param maxBytes Limit of a file's size, which only a larger constant exceeds.
 */
export function placeExternally(
  initializers: readonly Initializer[],
  model: string,
  maxBytes: number,
): ExternalData {
  const places = new Map<string, DataPlace>();
  const files: { name: string; bytes: number; content: Map<number, LazyBytes> }[] = [];
  for (const one of initializers) {
    const length = byteLengthOf(one);
    if (length < MIN_BYTES) continue;
    const last = files.at(-1);
    let offset = Math.ceil((last?.bytes ?? 0) / ALIGNMENT) * ALIGNMENT;
    if (!last || offset + length > maxBytes) {
      const name = `${model}_data${files.length === 0 ? "" : `_${files.length}`}`;
      files.push({ name, bytes: offset = 0, content: new Map() });
    }
    const file = files.at(-1)!;
    file.content.set(offset, rawData(one));
    file.bytes = offset + length;
    places.set(one.name, { location: file.name, offset });
  }
  return {
    places,
    files: files.map(({ name, bytes, content }) => ({ name, bytes, parts: () => bytesAt(content) })),
  };
}

/** The bytes of a file, with zeros between the parts. @param content Parts by their first byte. */
function* bytesAt(content: ReadonlyMap<number, LazyBytes>): Generator<Uint8Array> {
  let at = 0;
  for (const [offset, part] of content) {
    if (offset > at) yield new Uint8Array(offset - at);
    yield part.make();
    at = offset + part.length;
  }
}
