// Random access to the bytes of an audio file, so that the header is checked before anything is decoded.
import { fileSource as fileSourceOf } from "../../files/byte_source.ts";
import { printable, printableName } from "../../files/printable.ts";

/** Where audio comes from: a file or bytes in memory. */
export interface AudioSource {
  /** Name for errors, such as the path. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Up to `length` bytes from byte `at`; fewer at the end. */
  read(at: number, length: number): Uint8Array;
  /** Closes the file. */
  close(): void;
}

/** A source that reads bytes in memory without copying them, after their ID3 tag. */
export function bytesSource(bytes: Uint8Array, name: string): AudioSource {
  return withoutTag({
    name: printableName(name),
    size: bytes.length,
    read: (at, length) => bytes.subarray(at, at + length),
    close: () => {},
  });
}

/**
 * A source that reads a file after its ID3 tag. The file stays open until `close`.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied | TypeError} If the path does not exist, may not be read,
 * or is not a file.
 */
export async function fileSource(path: string | URL): Promise<AudioSource> {
  const name = printableName(String(path));
  const file = fileSourceOf(await openFile(path, name), name);
  const size = file.length;
  return withoutTag({
    name,
    size,
    read: (at, length) => file.read(Math.min(at, size), Math.min(at + length, size)),
    close: () => file[Symbol.dispose](),
  });
}

const FIRST = ["fLaC", "OggS", "RIFF", "RF64", "RIFX", "FORM", "NIST"];

/**
 * Skips ID3v2 tags that precede another format than MP3, whose decoder skips them itself.
 *
 * A tag has 10 bytes of header, its size in 4 bytes of 7 bits, and 10 bytes of footer if bit 4 of its flags is set
 * (id3.org, "ID3 tag version 2.4.0", section 3).
 */
function withoutTag(source: AudioSource): AudioSource {
  let start = 0;
  for (let count = 0; count < 8; count++) {
    const head = source.read(start, 10);
    if (head.length < 10 || !tagAt(head, 0).startsWith("ID3") || head[3] === 0xff) break;
    const size = head.subarray(6).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
    start += 10 + size + (head[5]! & 0x10 ? 10 : 0);
  }
  if (start === 0 || !FIRST.includes(tagAt(source.read(start, 4), 0))) return source;
  return {
    ...source,
    size: source.size - start,
    read: (at, length) => source.read(start + at, length),
  };
}

async function openFile(path: string | URL, name: string): Promise<Deno.FsFile> {
  try {
    // Checked first, since opening a pipe would wait for a writer.
    const found = await Deno.stat(path);
    if (found.isFile) return await Deno.open(path);
    throw new TypeError(
      `Cannot read ${name} as it must be a file: it is a ${found.isDirectory ? "folder" : "device or pipe"}`,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(`Cannot read ${name} as it must exist: there is no such file`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw new Deno.errors.PermissionDenied(`Cannot read ${name} as reading must be allowed: it is not`);
    }
    throw error;
  }
}

/**
 * Refuses a file that is not audio, or broken.
 *
 * @throws {SyntaxError} Always: "Cannot read NAME as audio as RULE: FOUND".
 */
export function refuse(source: { readonly name: string }, rule: string, found: string): never {
  throw new SyntaxError(`Cannot read ${source.name} as audio as ${rule}: ${printable(found)}`);
}

/** A view of bytes, for reading values of any width. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The four ASCII characters at an offset. */
export function tagAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
