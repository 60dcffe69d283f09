// Bytes that are read in ranges, so that a file need not be in memory as a whole.
import { fileError } from "./atomic_file.ts";

/** A file or memory that is read in ranges. */
export interface ByteSource extends Disposable {
  /** Number of bytes. */
  readonly length: number;
  /** Reads a range, from `start` to before `end`, which is at most `length`: a view of memory, or a copy of a file's bytes. */
  read(start: number, end: number): Uint8Array;
  /** Reads ranges, each aligned for every element type if it is a copy. */
  readAll(ranges: readonly ByteRange[]): Uint8Array[];
}

/** A range of bytes. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

/** Alignment of ranges in the memory that they are read to. */
const ALIGNMENT = 64;

/** Reads ranges of bytes in memory. @param bytes The bytes. */
export function memorySource(bytes: Uint8Array): ByteSource {
  const read = (start: number, end: number) => bytes.subarray(start, end);
  return {
    length: bytes.length,
    read,
    readAll: (ranges) => ranges.map(({ start, end }) => read(start, end)),
    [Symbol.dispose]() {},
  };
}

/**
 * Opens a file to read ranges of it.
 *
 * @param path Path of the file.
 * @returns The file, or null if it does not exist.
 * @throws {Error} If it cannot be opened; one line that names the path.
 */
export function openSource(path: string): ByteSource | null {
  try {
    return fileSource(Deno.openSync(path), path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw fileError("read", path, error);
  }
}

/**
 * Reads ranges of an open file, which is closed with the source.
 *
 * @param file The file.
 * @param path Its path, for errors: what cannot be read throws one of one line.
 */
export function fileSource(file: Deno.FsFile, path: string): ByteSource {
  const readInto = (bytes: Uint8Array, start: number): Uint8Array => {
    try {
      file.seekSync(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const count = file.readSync(bytes.subarray(at));
        if (count === null) throw new Error("it has become shorter");
        at += count;
      }
    } catch (error) {
      throw fileError("read", path, error);
    }
    return bytes;
  };
  return {
    length: file.statSync().size,
    read: (start, end) => readInto(new Uint8Array(end - start), start),
    // One allocation: hundreds of large ones are a tenth of a second of garbage collection.
    readAll(ranges) {
      const sizes = ranges.map(({ start, end }) => Math.ceil((end - start) / ALIGNMENT) * ALIGNMENT);
      const all = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
      let at = 0;
      return ranges.map(({ start, end }, i) => {
        const bytes = readInto(all.subarray(at, at + end - start), start);
        at += sizes[i]!;
        return bytes;
      });
    },
    [Symbol.dispose]: () => file.close(),
  };
}
