// Reads Parquet files by row group and page. hyparquet reads the footer and page headers, and its compressors unpack pages.
import {
  type ColumnMetaData,
  type FileMetaData,
  type PageHeader,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from "npm:hyparquet@1.33.0";
import { parquetHeader } from "npm:hyparquet@1.33.0/src/column.js";
import { printable } from "../../files/printable.ts";
import { type AudioSource, fileSource } from "../audio/source.ts";
import { decodeDictionary, decodePage, type PageColumn, type PageInfo, type Value } from "./page.ts";

export type { Value };

// Longest run of bytes above 127 in a footer: hyparquet takes the square of their number in time for an integer of them.
const MAX_RUN = 2 ** 15;
// Bytes that are read for a page header; statistics make some long.
const HEADER = 2 ** 16;

/** Rows that are stored together. */
export interface RowGroup {
  /** Number of its first row in the file. */
  readonly first: number;
  readonly rows: number;
}

/** The pages of a column in a row group. */
interface Chunk {
  readonly column: PageColumn;
  readonly dictionary: readonly Value[] | null;
  /** Data pages: header, first row in the group, and offset of the data in the file. */
  readonly pages: readonly {
    readonly page: PageInfo;
    readonly first: number;
    readonly at: number;
    readonly length: number;
  }[];
}

/** An open Parquet file. */
export class ParquetFile implements Disposable {
  readonly #source: AudioSource;
  readonly #metadata: FileMetaData;
  readonly #schema: SchemaTree;
  /** The last chunk and page of each column, since rows are often read in order. */
  readonly #chunks = new Map<string, { readonly group: number; readonly chunk: Chunk }>();
  readonly #pages = new Map<string, { readonly at: number; readonly values: Value[] }>();
  /** Row groups in order. */
  readonly groups: readonly RowGroup[];

  private constructor(source: AudioSource, metadata: FileMetaData) {
    this.#source = source;
    this.#metadata = metadata;
    this.#schema = parquetSchema(metadata);
    let first = 0;
    this.groups = metadata.row_groups.map(({ num_rows }) => {
      const rows = Number(num_rows);
      if (!(rows >= 0 && rows < 2 ** 31)) throw new RangeError(`a row group has ${num_rows} rows`);
      first += rows;
      return { first: first - rows, rows };
    });
  }

  /**
   * Opens a file and reads its footer.
   *
   * @param path Path of the file.
   * @throws {SyntaxError} If it is not a valid Parquet file; one line that names it.
   * @throws {Error} If it cannot be read.
   */
  static async open(path: string): Promise<ParquetFile> {
    const source = await fileSource(path);
    try {
      return await attempt(path, async () => {
        const slice = (from: number, to = source.size) =>
          Promise.resolve(checkRuns(source.read(from, to - from)).buffer);
        return new ParquetFile(
          source,
          await parquetMetadataAsync({ byteLength: source.size, slice }, { geoparquet: false }),
        );
      });
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** Names of the columns at the top level. */
  get columns(): string[] {
    return this.#schema.children.map(({ element }) => element.name);
  }

  /** Names of the fields of a column that is a struct; empty for others. */
  fieldsOf(column: string): string[] {
    const found = this.#schema.children.find(({ element }) => element.name === column);
    return found?.children.map(({ element }) => element.name) ?? [];
  }

  /** The text under a key of the file's own metadata; undefined if there is none. */
  note(key: string): string | undefined {
    return this.#metadata.key_value_metadata?.find((one) => one.key === key)?.value;
  }

  /**
   * Reads a column of a row group.
   *
   * @param path Names from the column to the value: `["audio", "path"]`.
   * @param group Index of the row group.
   * @returns A value or null for each row.
   * @throws {SyntaxError} If it is broken; one line that names file and column.
   */
  async column(path: readonly string[], group: number): Promise<Value[]> {
    return await attempt(this.#nameOf(path), () => {
      const { dictionary, column, pages } = this.#chunk(path, group);
      return pages.flatMap(({ page, at, length }) =>
        decodePage(this.#source.read(at, length), page, column, dictionary)
      );
    });
  }

  /**
   * Which values of a column are there.
   *
   * @param path Names from the column to the value.
   * @param group Index of the row group.
   * @returns Whether each row has a value; null if all have, by the file's statistics.
   * @throws {SyntaxError} If it is broken; one line that names file and column.
   */
  async presence(path: readonly string[], group: number): Promise<boolean[] | null> {
    const statistics = this.#columnOf(path, group)?.statistics;
    if (!statistics?.null_count) return null;
    return (await this.column(path, group)).map((value) => value !== null);
  }

  /**
   * Reads the value of a row; only its page is unpacked.
   *
   * @param path Names from the column to the value.
   * @param row Number of the row in the file.
   * @throws {SyntaxError} If it is broken, or there is no such row.
   */
  async value(path: readonly string[], row: number): Promise<Value> {
    return await attempt(this.#nameOf(path), () => {
      const group = this.groups.findIndex(({ first, rows }) => row >= first && row < first + rows);
      if (group < 0) throw new RangeError(`there is no row ${row}`);
      const { dictionary, column, pages } = this.#chunk(path, group);
      const index = row - this.groups[group]!.first;
      const { page, first, at, length } = pages.findLast(({ first }) => first <= index)!;
      const key = path.join(".");
      let kept = this.#pages.get(key);
      if (kept?.at !== at) {
        kept = { at, values: decodePage(this.#source.read(at, length), page, column, dictionary) };
        this.#pages.set(key, kept);
      }
      return kept.values[index - first]!;
    });
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#source.close();
  }

  #nameOf(path: readonly string[]): string {
    return `${this.#source.name}, column ${path.join(".")},`;
  }

  #chunk(path: readonly string[], group: number): Chunk {
    const key = path.join(".");
    const kept = this.#chunks.get(key);
    if (kept?.group === group) return kept.chunk;
    const chunk = this.#readChunk(path, group);
    this.#chunks.set(key, { group, chunk });
    return chunk;
  }

  #columnOf(path: readonly string[], group: number): ColumnMetaData | undefined {
    const key = path.join(".");
    return this.#metadata.row_groups[group]!.columns
      .find(({ meta_data }) => meta_data?.path_in_schema.join(".") === key)?.meta_data;
  }

  #readChunk(path: readonly string[], group: number): Chunk {
    const meta = this.#columnOf(path, group);
    if (!meta) throw new RangeError("there is no such column");
    const column = { type: meta.type, codec: meta.codec, maxLevel: maxLevelOf(this.#schema, path) };
    const pages: { page: PageInfo; first: number; at: number; length: number }[] = [];
    let dictionary: Value[] | null = null;
    let rows = 0;
    const { rows: all } = this.groups[group]!;
    for (const { header, at, length } of pagesOf(this.#source, meta)) {
      const page = infoOf(header, all);
      if (header.type === "DICTIONARY_PAGE") {
        dictionary = decodeDictionary(this.#source.read(at, length), page, column);
      } else if (header.type !== "INDEX_PAGE") {
        pages.push({ page, first: rows, at, length });
        rows += page.count;
      }
      if (rows >= all) break;
    }
    if (rows !== all) throw new RangeError(`it has ${rows} values for ${all} rows`);
    return { column, dictionary, pages };
  }
}

/** Headers of the pages of a column, with place and length of their data. */
function* pagesOf(
  source: AudioSource,
  meta: ColumnMetaData,
): Generator<{ header: PageHeader; at: number; length: number }> {
  const begin = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = begin + Number(meta.total_compressed_size);
  if (!(begin >= 0 && begin <= end && end <= source.size)) {
    throw new RangeError("its data must lie within the file");
  }
  for (let at = begin; at < end;) {
    const bytes = checkRuns(source.read(at, Math.min(HEADER, end - at)));
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    const header = parquetHeader(reader);
    const length = header.compressed_page_size;
    at += reader.offset;
    if (!(length >= 0 && at + length <= end)) {
      throw new RangeError(`a page takes ${length} bytes, ${end - at} follow`);
    }
    yield { header, at, length };
    at += length;
  }
}

/** What a header states, by kind. @param rows Rows of the group: a page has no more values. */
function infoOf(header: PageHeader, rows: number): PageInfo {
  const { data_page_header: data, data_page_header_v2: data2, dictionary_page_header: dictionary } = header;
  const stated = data ?? data2 ?? dictionary;
  const size = header.uncompressed_page_size;
  if (!stated) return { count: 0, encoding: "", size, levelBytes: null, isCompressed: true };
  const count = stated.num_values;
  // A dictionary may have no more values than bytes.
  const most = dictionary && !data && !data2 ? size : rows;
  if (!(Number.isInteger(count) && count >= 0 && count <= most)) {
    throw new RangeError(`a page has ${count} values`);
  }
  const levelBytes = data2 ? data2.definition_levels_byte_length + data2.repetition_levels_byte_length : null;
  if (levelBytes !== null && !(levelBytes >= 0 && levelBytes <= size)) {
    throw new RangeError(`the levels of a page take ${levelBytes} bytes`);
  }
  return { count, encoding: stated.encoding, size, levelBytes, isCompressed: data2?.is_compressed ?? true };
}

/** Number of optional fields on a path. */
function maxLevelOf(schema: SchemaTree, path: readonly string[]): number {
  let node = schema;
  let levels = 0;
  for (const name of path) {
    const child = node.children.find(({ element }) => element.name === name);
    if (!child) throw new RangeError("there is no such column");
    if (child.element.repetition_type === "REPEATED") throw new RangeError("lists are not read");
    if (child.element.repetition_type !== "REQUIRED") levels++;
    node = child;
  }
  return levels;
}

/** Refuses bytes that would make hyparquet read one endless integer. */
function checkRuns(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let run = 0;
  for (const byte of bytes) {
    run = byte > 127 ? run + 1 : 0;
    if (run > MAX_RUN) throw new RangeError("its footer is broken");
  }
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Runs a step; what it throws becomes an error of one line that names the file. */
async function attempt<T>(name: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const found = printable(error instanceof Error ? error.message : String(error));
    throw new SyntaxError(`Cannot read ${name} as a Parquet file must be valid: ${found}`);
  }
}
