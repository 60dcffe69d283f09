// Decodes the pages of Parquet columns. Every count and size of a page is checked before it is used: files are not trusted.
import { compressors, decompressZstd } from "npm:hyparquet-compressors@1.1.2";

/** A value of a column: the bytes of text or binary data, a number, or null. */
export type Value = Uint8Array | number | bigint | boolean | null;

/** Type of the values in a file. */
export type ParquetType =
  | "BOOLEAN"
  | "INT32"
  | "INT64"
  | "INT96"
  | "FLOAT"
  | "DOUBLE"
  | "BYTE_ARRAY"
  | "FIXED_LEN_BYTE_ARRAY";

/** What the decoding of a column's pages depends on. */
export interface PageColumn {
  readonly type: ParquetType;
  /** Compression of the pages, as `SNAPPY`. */
  readonly codec: string;
  /** Definition level of a value that is there: the number of optional fields on the path. */
  readonly maxLevel: number;
}

/** What a page header states, of data pages of both versions and dictionaries. */
export interface PageInfo {
  /** Number of values, nulls included. */
  readonly count: number;
  readonly encoding: string;
  /** Bytes after decompression, levels included. */
  readonly size: number;
  /** Of version 2: bytes of the levels, which precede the values and are not compressed; null for others. */
  readonly levelBytes: number | null;
  /** Whether the values are compressed. */
  readonly isCompressed: boolean;
}

// Largest page after decompression.
const MAX_PAGE = 2 ** 30;

/**
 * Decodes the values of a dictionary.
 *
 * @param bytes The page as it is in the file.
 * @throws {RangeError} If it is broken.
 */
export function decodeDictionary(bytes: Uint8Array, page: PageInfo, column: PageColumn): Value[] {
  const reader = new Reader(decompress(bytes, page.size, page, column.codec));
  return readPlain(reader, page.count, column.type);
}

/**
 * Decodes a data page.
 *
 * @param bytes The page as it is in the file.
 * @param dictionary Values of the column's dictionary; null if it has none.
 * @returns A value or null for each row.
 * @throws {RangeError} If it is broken, or of an encoding or compression that is not read.
 */
export function decodePage(
  bytes: Uint8Array,
  page: PageInfo,
  column: PageColumn,
  dictionary: readonly Value[] | null,
): Value[] {
  const { count, levelBytes } = page;
  const body = levelBytes === null
    ? decompress(bytes, page.size, page, column.codec)
    : decompress(bytes.subarray(levelBytes), page.size - levelBytes, page, column.codec);
  const reader = new Reader(body);
  let levels: Uint32Array | null = null;
  if (column.maxLevel > 0) {
    const width = 32 - Math.clz32(column.maxLevel);
    const levelReader = levelBytes === null
      ? reader.part(reader.uint32())
      : new Reader(bytes.subarray(0, levelBytes));
    levels = readRuns(levelReader, count, width);
  }
  const present = levels === null
    ? count
    : levels.reduce((sum, level) => sum + Number(level === column.maxLevel), 0);
  const values = readValues(reader, present, page.encoding, column.type, dictionary);
  if (present === count) return values;
  let next = 0;
  return Array.from(levels!, (level) => level === column.maxLevel ? values[next++]! : null);
}

function decompress(bytes: Uint8Array, size: number, page: PageInfo, codec: string): Uint8Array {
  if (!(size >= 0 && size <= MAX_PAGE)) throw new RangeError(`a page has ${size} bytes`);
  if (codec === "UNCOMPRESSED" || !page.isCompressed || size === 0) return bytes;
  const known: Readonly<Record<string, ((bytes: Uint8Array, size: number) => Uint8Array) | undefined>> =
    compressors;
  const unpack = codec === "ZSTD"
    ? () => decompressZstd(bytes, new Uint8Array(size))
    : known[codec] && (() => known[codec]!(bytes, size));
  if (!unpack) throw new RangeError(`compression ${codec} is not read`);
  // The compressed data of Snappy begin with their size: 7 bits a byte.
  if (codec === "SNAPPY" && new Reader(bytes).varint() !== size) {
    throw new RangeError("a page has another size");
  }
  const unpacked = unpack();
  if (unpacked.length !== size) throw new RangeError(`a page has ${unpacked.length} bytes, not ${size}`);
  return unpacked;
}

function readValues(
  reader: Reader,
  count: number,
  encoding: string,
  type: ParquetType,
  dictionary: readonly Value[] | null,
): Value[] {
  if (encoding === "PLAIN") return readPlain(reader, count, type);
  if (encoding !== "PLAIN_DICTIONARY" && encoding !== "RLE_DICTIONARY") {
    throw new RangeError(`encoding ${encoding} is not read`);
  }
  if (dictionary === null) throw new RangeError("a page needs a dictionary, and there is none");
  if (count === 0) return [];
  const width = reader.byte();
  if (width > 32) throw new RangeError(`an index has ${width} bits`);
  return Array.from(readRuns(reader, count, width), (index) => {
    if (index < dictionary.length) return dictionary[index]!;
    throw new RangeError(`index ${index} is not in a dictionary of ${dictionary.length}`);
  });
}

function readPlain(reader: Reader, count: number, type: ParquetType): Value[] {
  const read: (() => Value) | undefined = {
    BOOLEAN: undefined,
    INT32: () => reader.int32(),
    INT64: () => reader.int64(),
    INT96: undefined,
    FLOAT: () => reader.float32(),
    DOUBLE: () => reader.float64(),
    BYTE_ARRAY: () => reader.bytes(reader.uint32()),
    FIXED_LEN_BYTE_ARRAY: undefined,
  }[type];
  if (!read) throw new RangeError(`type ${type} is not read`);
  const least = { INT64: 8, DOUBLE: 8 }[type as string] ?? 4;
  if (count * least > reader.left) throw new RangeError(`${count} values do not fit into a page`);
  return Array.from({ length: count }, read);
}

/** Runs of equal values and packed groups of eight, in so many bits each ("RLE/bit-packed hybrid"). */
function readRuns(reader: Reader, count: number, width: number): Uint32Array {
  // A byte can hold many values of a run, so that only the file's number of rows, which is checked, bounds them.
  const values = new Uint32Array(count);
  for (let at = 0; at < count;) {
    const header = reader.varint();
    const length = header >>> 1;
    if (length === 0) throw new RangeError("a run is empty");
    if (header & 1) {
      const packed = reader.bytes(length * width);
      for (let i = 0; i < length * 8 && at < count; i++) values[at++] = bitsAt(packed, i * width, width);
    } else {
      const bytes = reader.bytes((width + 7) >> 3);
      const value = bytes.reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
      const end = Math.min(count, at + length);
      values.fill(value, at, end);
      at = end;
    }
  }
  return values;
}

function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value += (bytes[(bit + i) >> 3]! >> ((bit + i) & 7) & 1) * 2 ** i;
  return value;
}

/** Reads values in order, within the bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw new RangeError(`a value of ${length} bytes does not fit into a page`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  part(length: number): Reader {
    return new Reader(this.bytes(length));
  }

  byte(): number {
    return this.bytes(1)[0]!;
  }

  /** An unsigned integer of at most 32 bits, 7 in each byte. */
  varint(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128 && value < 2 ** 32) return value;
    }
    throw new RangeError("a count is too large");
  }

  uint32(): number {
    return this.#next(4, (at) => this.#view.getUint32(at, true));
  }

  int32(): number {
    return this.#next(4, (at) => this.#view.getInt32(at, true));
  }

  int64(): bigint {
    return this.#next(8, (at) => this.#view.getBigInt64(at, true));
  }

  float32(): number {
    return this.#next(4, (at) => this.#view.getFloat32(at, true));
  }

  float64(): number {
    return this.#next(8, (at) => this.#view.getFloat64(at, true));
  }

  #next<T>(length: number, read: (at: number) => T): T {
    this.bytes(length);
    return read(this.#at - length);
  }
}
