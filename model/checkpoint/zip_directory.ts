// The central directory of a zip file, as torch.save writes it: entries are stored, not compressed. Local headers may have zero
// sizes, so only the directory counts. APPNOTE 6.3.10, zip64 included.

import { printable } from "../../files/printable.ts";
import { view } from "./safetensors_format.ts";

/** Throws an error of one line: the violated rule, and what was found. */
export type Fail = (rule: string, found: string) => never;

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_U32 = 0xffffffff;

/** Whether bytes have the signature of a zip file. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0, true) === LOCAL;
}

/**
 * Finds the entries of a zip file. Nothing is copied: an entry is a view of `bytes`.
 *
 * @param bytes Content of the file.
 * @param fail Called with the rule that the file breaks.
 * @returns Bytes of every entry by its path.
 */
export function zipEntries(bytes: Uint8Array, fail: Fail): Map<string, Uint8Array> {
  const data = view(bytes);
  const { offset, size, count } = directoryOf(bytes, data, fail);
  if (offset + size > bytes.length) {
    fail("the zip directory must lie within the file", `it ends at ${offset + size}`);
  }
  const entries = new Map<string, Uint8Array>();
  const decoder = new TextDecoder();
  let at = offset;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > offset + size || data.getUint32(at, true) !== ENTRY) {
      fail("the zip directory must list every entry", `entry ${i} of ${count} is not one`);
    }
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((n) => data.getUint16(at + n, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameLength + extraLength + noteLength;
    if (next > offset + size) fail("the zip directory must list every entry", `entry ${i} is cut off`);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const sizes = sizesOf(data, at, extra);
    if (entries.has(name)) fail("no zip entry may appear twice", printable(name));
    if (data.getUint16(at + 10, true) !== 0 || sizes.packed !== sizes.size) {
      fail("zip entries must be stored without compression", `${printable(name)} is compressed`);
    }
    if (data.getUint16(at + 8, true) & 1) fail("zip entries must not be encrypted", printable(name));
    const content = contentOf(
      bytes,
      data,
      sizes,
      () => fail("zip entries must lie within the file", printable(name)),
    );
    total += content.length;
    if (total > bytes.length) fail("zip entries must not overlap", printable(name));
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

/** The bytes of an entry, which follow its local header. */
function contentOf(
  bytes: Uint8Array,
  data: DataView,
  { header, size }: Sizes,
  outside: () => never,
): Uint8Array {
  if (header + 30 > bytes.length || data.getUint32(header, true) !== LOCAL) return outside();
  const start = header + 30 + data.getUint16(header + 26, true) + data.getUint16(header + 28, true);
  return start + size > bytes.length ? outside() : bytes.subarray(start, start + size);
}

/** Offset of the directory, from the record at the end of the file. */
function directoryOf(
  bytes: Uint8Array,
  data: DataView,
  fail: Fail,
): { offset: number; size: number; count: number } {
  const least = Math.max(0, bytes.length - 22 - 0xffff);
  let end = bytes.length - 22;
  while (end >= least && data.getUint32(end, true) !== END) end--;
  if (end < least) return fail("a zip file ends with its directory", "it is cut off, or something follows");
  const plain = {
    count: data.getUint16(end + 10, true),
    size: data.getUint32(end + 12, true),
    offset: data.getUint32(end + 16, true),
  };
  if (plain.count !== 0xffff && plain.size !== MAX_U32 && plain.offset !== MAX_U32) return plain;
  if (end < 20 || data.getUint32(end - 20, true) !== LOCATOR_64) return plain;
  const at = Number(data.getBigUint64(end - 12, true));
  if (at + 56 > bytes.length || data.getUint32(at, true) !== END_64) {
    return fail("the zip64 directory must lie within the file", `its offset is ${at}`);
  }
  const [count, size, offset] = [32, 40, 48].map((n) => Number(data.getBigUint64(at + n, true))) as [
    number,
    number,
    number,
  ];
  return { count, size, offset };
}
