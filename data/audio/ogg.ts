// Pages of an Ogg file (RFC 3533), checked before the decoders see them: those search on through garbage for a next
// page in quadratic time, and decode what is left of a broken one.
import { type AudioSource, refuse, tagAt, viewOf } from "./source.ts";

const LARGEST_PAGE = 27 + 255 + 255 * 255;

/**
 * The pages of a file one after the other, each whole and with the right checksum. Bytes after the last page of a
 * stream, such as tags, are left out.
 *
 * @throws {SyntaxError} If a page is broken or cut off, or a second stream starts.
 */
export function* oggPages(source: AudioSource): Generator<Uint8Array> {
  let at = 0;
  let ended = false;
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = 0;
  while (at < source.size) {
    if (at + LARGEST_PAGE > windowAt + window.length && windowAt + window.length < source.size) {
      window = source.read(at, 4 * LARGEST_PAGE);
      windowAt = at;
    }
    const page = pageOf(window.subarray(at - windowAt));
    if (page === null) {
      if (ended) return;
      refuse(source, "each Ogg page must be whole", `the one at byte ${at} is broken or cut off`);
    }
    if (at > 0 && page[5]! & 2) {
      refuse(source, "an Ogg file must hold one stream", `another starts at byte ${at}`);
    }
    ended = (page[5]! & 4) !== 0;
    at += page.length;
    yield page;
  }
}

/** The page that bytes start with, or null. Its checksum must hold. */
function pageOf(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 27 || tagAt(bytes, 0) !== "OggS" || bytes[4] !== 0) return null;
  const body = 27 + bytes[26]!;
  if (bytes.length < body) return null;
  const end = bytes.subarray(27, body).reduce((sum, length) => sum + length, body);
  if (bytes.length < end) return null;
  const page = bytes.subarray(0, end);
  return checksumOf(page) === viewOf(page).getUint32(22, true) ? page : null;
}

/** Data of the first packet in a page. */
export function firstPacket(page: Uint8Array): Uint8Array {
  return page.subarray(27 + (page[26] ?? 0));
}

/**
 * Position of the last page's end in samples, or null where the file does not tell: what its header claims to be its
 * length.
 */
export function lastGranule(source: AudioSource): number | null {
  const start = Math.max(0, source.size - LARGEST_PAGE - 1024);
  const tail = source.read(start, source.size - start);
  for (let at = tail.length - 27; at >= 0; at--) {
    if (tail[at] !== 0x4f || tagAt(tail, at) !== "OggS") continue;
    const granule = viewOf(tail).getBigInt64(at + 6, true);
    // −1: no packet ends in this page.
    if (granule >= 0n) return Number(granule);
  }
  return null;
}

let table: Uint32Array | undefined;

/** CRC-32 of Ogg: polynomial 0x04c11db7, not reflected, over the page with its checksum taken as 0. */
function checksumOf(page: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let value = i << 24;
    for (let bit = 0; bit < 8; bit++) value = value << 1 ^ (value < 0 ? 0x04c11db7 : 0);
    return value;
  });
  let sum = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!;
    sum = sum << 8 ^ table[(sum >>> 24) ^ byte]!;
  }
  return sum >>> 0;
}
