// Reads and checks the pages of an Ogg file (RFC 3533) before decoding: the decoders search for the next page in
// quadratic time, and decode the rest of a broken page.
import { type AudioSource, refuse, tagAt, viewOf } from "./source.ts";

const LARGEST_PAGE = 27 + 255 + 255 * 255;

/**
 * The pages of a file in order, each complete and with a valid checksum. Bytes after the last page of a stream, such as
 * tags, are skipped.
 *
 * @throws {SyntaxError} If a page is broken or truncated, or a second stream starts.
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
      refuse(source, "each Ogg page must be complete", `the one at byte ${at} is broken or truncated`);
    }
    if (at > 0 && page[5]! & 2) {
      refuse(source, "an Ogg file must hold one stream", `another starts at byte ${at}`);
    }
    ended = (page[5]! & 4) !== 0;
    at += page.length;
    yield page;
  }
}

/** The page at the start of some bytes; null if it is incomplete or its checksum differs. */
function pageOf(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 27 || tagAt(bytes, 0) !== "OggS" || bytes[4] !== 0) return null;
  const body = 27 + bytes[26]!;
  if (bytes.length < body) return null;
  const end = bytes.subarray(27, body).reduce((sum, length) => sum + length, body);
  if (bytes.length < end) return null;
  const page = bytes.subarray(0, end);
  return checksumOf(page) === viewOf(page).getUint32(22, true) ? page : null;
}

/** Bytes of the first packet of a page. */
export function firstPacket(page: Uint8Array): Uint8Array {
  return page.subarray(27 + (page[26] ?? 0));
}

/**
 * End of the last page in samples, which is the length of the stream; null if no page states it.
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

/** CRC-32 of Ogg: polynomial 0x04c11db7, not reflected, over the page with its checksum set to 0. */
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
