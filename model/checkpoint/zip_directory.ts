// The central directory of a zip file, as torch.save writes it: entries are stored, not compressed. Local headers may have zero
// sizes, so only the directory counts. APPNOTE 6.3.10, zip64 included.

import { printable } from "../../files/printable.ts";
import type { ByteRange, ByteSource } from "../../files/byte_source.ts";
import { view } from "./safetensors_format.ts";

/** Throws an error of one line: the violated rule, and what was found. */
export type Fail = (rule: string, found: string) => never;

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_U32 = 0xffffffff;

/** Whether a file has the signature of a zip file. */
export function isZip(file: ByteSource): boolean {
  return file.length >= 4 && view(file.read(0, 4)).getUint32(0, true) === LOCAL;
}

/**
 * Finds the entries of a zip file, whose content is not read.
 *
 * @param file The file.
 * @param fail Called with the rule that the file breaks.
 * @returns Where every entry is, by its path.
 */
export function zipEntries(file: ByteSource, fail: Fail): Map<string, ByteRange> {
  const { offset, size, count } = directoryOf(file, fail);
  if (offset + size > file.length) {
    fail("the zip directory must lie within the file", `it ends at ${offset + size}`);
  }
  const bytes = file.read(offset, offset + size);
  const data = view(bytes);
  const entries = new Map<string, ByteRange>();
  const decoder = new TextDecoder();
  let at = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || data.getUint32(at, true) !== ENTRY) {
      fail("the zip directory must list every entry", `entry ${i} of ${count} is not one`);
    }
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((n) => data.getUint16(at + n, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameLength + extraLength + noteLength;
    if (next > size) fail("the zip directory must list every entry", `entry ${i} is cut off`);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const sizes = sizesOf(data, at, extra);
    if (entries.has(name)) fail("no zip entry may appear twice", printable(name));
    if (data.getUint16(at + 10, true) !== 0 || sizes.packed !== sizes.size) {
      fail("zip entries must be stored without compression", `${printable(name)} is compressed`);
    }
    if (data.getUint16(at + 8, true) & 1) fail("zip entries must not be encrypted", printable(name));
    const outside = () => fail("zip entries must lie within the file", printable(name));
    const content = placeOf(file, sizes, outside);
    total += content.end - content.start;
    if (total > file.length) fail("zip entries must not overlap", printable(name));
    entries.set(name, content);
    at = next;
  }
  return entries;
}

interface Sizes {
  readonly packed: number;
  readonly size: number;
  readonly header: number;
}

/** Sizes and offset of an entry; from its zip64 field if the 32-bit ones overflow. */
function sizesOf(data: DataView, at: number, extra: Uint8Array): Sizes {
  const found = [data.getUint32(at + 24, true), data.getUint32(at + 20, true), data.getUint32(at + 42, true)];
  const fields = view(extra);
  for (let i = 0; i + 4 <= extra.length;) {
    const [id, length] = [fields.getUint16(i, true), fields.getUint16(i + 2, true)];
    let place = i + 4;
    const end = Math.min(place + length, extra.length);
    for (let n = 0; id === 1 && n < 3; n++) {
      if (found[n] !== MAX_U32 || place + 8 > end) continue;
      found[n] = Number(fields.getBigUint64(place, true));
      place += 8;
    }
    i += 4 + length;
  }
  const [size, packed, header] = found as [number, number, number];
  return { size, packed, header };
}

/** Where the bytes of an entry are: after its local header. */
function placeOf(file: ByteSource, { header, size }: Sizes, outside: () => never): ByteRange {
  if (header + 30 > file.length) return outside();
  const local = view(file.read(header, header + 30));
  if (local.getUint32(0, true) !== LOCAL) return outside();
  const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  return start + size > file.length ? outside() : { start, end: start + size };
}

/** Offset of the directory, from the record at the end of the file. */
function directoryOf(file: ByteSource, fail: Fail): { offset: number; size: number; count: number } {
  // The record with its comment, and before it the locator of zip64.
  const tail = view(file.read(Math.max(0, file.length - 20 - 22 - 0xffff), file.length));
  const least = Math.max(0, tail.byteLength - 22 - 0xffff);
  let end = tail.byteLength - 22;
  while (end >= least && tail.getUint32(end, true) !== END) end--;
  if (end < least) return fail("a zip file ends with its directory", "it is cut off, or something follows");
  const plain = {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  if (plain.count !== 0xffff && plain.size !== MAX_U32 && plain.offset !== MAX_U32) return plain;
  if (end < 20 || tail.getUint32(end - 20, true) !== LOCATOR_64) return plain;
  const at = Number(tail.getBigUint64(end - 12, true));
  const outside = (): never => fail("the zip64 directory must lie within the file", `its offset is ${at}`);
  if (at + 56 > file.length) return outside();
  const record = view(file.read(at, at + 56));
  if (record.getUint32(0, true) !== END_64) return outside();
  const [count, size, offset] = [32, 40, 48].map((n) => Number(record.getBigUint64(n, true))) as [
    number,
    number,
    number,
  ];
  return { count, size, offset };
}
