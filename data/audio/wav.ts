// Reads WAV files. The header is read before decoding, to refuse broken and long files; decoding itself is short, and
// scales as libsndfile does (n-bit integers divided by 2^(n−1)), which models were trained with. npm packages do not.
import { type AudioSource, refuse, tagAt, viewOf } from "./source.ts";

/** Encoding and position of the samples in a WAV, AIFF or NIST SPHERE file. */
export interface WavHeader {
  readonly encoding: "integer" | "float" | "alaw" | "mulaw";
  /** Bytes per sample. */
  readonly width: number;
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
  /** Offset of the samples in bytes. */
  readonly start: number;
  /** Number of frames; a frame is one sample per channel. */
  readonly frames: number;
  /** Whether the most significant byte of a sample comes first; default false. */
  readonly isBigEndian?: boolean;
  /** Whether integers of 8 bits are signed; default false. */
  readonly isSigned?: boolean;
}

const ENCODINGS: Readonly<Record<number, WavHeader["encoding"]>> = {
  1: "integer",
  3: "float",
  6: "alaw",
  7: "mulaw",
};
const WIDTHS = { integer: [1, 2, 3, 4], float: [4, 8], alaw: [1], mulaw: [1] };

// Sizes that ffmpeg, arecord and SoX write to a pipe, where they do not know the end.
const isPlaceholder = (size: number) => size >= 0xffff_ff00 || (size >= 0x7fff_f000 && size <= 0x8000_0000);

/**
 * Whether the data seem to end beyond the file by as much as a careless recorder adds: the header of the chunk (8), of
 * the RIFF file without its first 8 bytes (36), or of the whole file (44, or all that precedes the data).
 */
const countsHeader = (excess: number, start: number) => [8, 36, 44, start - 8, start].includes(excess);

// Real files have fewer than ten.
const MAX_CHUNKS = 1000;

/**
 * Reads the header of a WAV file: RIFF, RF64 for more than 4 GB, or RIFX, whose integers are big-endian.
 *
 * @throws {SyntaxError} If the format or the data are missing, the format is unknown, or the data end beyond the file.
 */
export function readWavHeader(source: AudioSource): WavHeader {
  let format: Omit<WavHeader, "start" | "frames"> | undefined;
  let longSize: number | undefined;
  const isLittle = tagAt(source.read(0, 4), 0) !== "RIFX";
  let at = 12;
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= source.size; count++) {
    const head = source.read(at, 8);
    const tag = tagAt(head, 0);
    const size = viewOf(head).getUint32(4, isLittle);
    at += 8;
    if (tag === "fmt ") format = readFormat(source, source.read(at, Math.min(size, 40)), isLittle);
    if (tag === "ds64") {
      const body = source.read(at, 16);
      if (body.length === 16) longSize = Number(viewOf(body).getBigUint64(8, true));
    }
    if (tag === "data") {
      if (format === undefined) {
        return refuse(source, "the format must come before the data", "there is none");
      }
      const rest = source.size - at;
      const claimed = size === 0xffff_ffff && longSize !== undefined ? longSize : size;
      const isKnown = claimed <= rest || !isPlaceholder(claimed) && !countsHeader(claimed - rest, at);
      const bytes = isKnown ? claimed : rest;
      if (bytes > rest) {
        refuse(source, "its data must lie within the file", `they take ${bytes} bytes, ${rest} follow`);
      }
      return { ...format, start: at, frames: Math.floor(bytes / (format.width * format.channels)) };
    }
    // Chunks are padded to an even size.
    at += size + size % 2;
  }
  return refuse(source, "a WAV file must have a data chunk", `none is in ${source.size} bytes`);
}

function readFormat(
  source: AudioSource,
  body: Uint8Array,
  isLittle: boolean,
): Omit<WavHeader, "start" | "frames"> {
  if (body.length < 16) refuse(source, "the format takes 16 bytes", `it has ${body.length}`);
  const view = viewOf(body);
  const tag = view.getUint16(0, isLittle);
  // WAVE_FORMAT_EXTENSIBLE: the format tag is the start of a GUID.
  const known = tag === 0xfffe && body.length >= 26 ? view.getUint16(24, isLittle) : tag;
  const encoding = ENCODINGS[known] ??
    refuse(source, "its encoding must be PCM, float, A-law or mu-law", foreignEncoding(known));
  const channels = view.getUint16(2, isLittle);
  const sampleRate = view.getUint32(4, isLittle);
  const block = view.getUint16(12, isLittle);
  const bits = view.getUint16(14, isLittle);
  const width = Math.ceil(bits / 8);
  const format = { encoding, width, channels, sampleRate };
  checkFormat(source, format, bits);
  if (block !== width * channels) {
    refuse(
      source,
      "a frame must hold one sample per channel",
      `${channels} of ${bits} bits, in ${block} bytes`,
    );
  }
  return isLittle ? format : { ...format, isBigEndian: true };
}

/** Names of encodings that are not read. */
const FOREIGN: Readonly<Record<number, string>> = {
  0x2: "Microsoft ADPCM",
  0x11: "IMA ADPCM",
  0x31: "GSM 6.10",
  0x45: "G.726",
  0x50: "MPEG",
  0x55: "MP3",
  0x161: "WMA",
};

function foreignEncoding(tag: number): string {
  const name = FOREIGN[tag];
  return `it is 0x${tag.toString(16)}${name ? `, ${name} (convert it: ffmpeg -i IN OUT.flac)` : ""}`;
}

/**
 * Checks what the header of uncompressed audio states.
 *
 * @param bits Bits of a sample.
 * @throws {SyntaxError} If a value is out of range.
 */
export function checkFormat(
  source: AudioSource,
  { encoding, width, channels, sampleRate }: Omit<WavHeader, "start" | "frames">,
  bits: number,
): void {
  if (!(sampleRate >= 1000 && sampleRate <= 192_000)) {
    refuse(source, "its sample rate must be 1000 to 192000 Hz", `it is ${sampleRate}`);
  }
  if (!(channels >= 1 && channels <= 64)) {
    refuse(source, "it must have 1 to 64 channels", `it has ${channels}`);
  }
  if (!WIDTHS[encoding].includes(width)) {
    const known = WIDTHS[encoding].map((width) => width * 8).join(", ");
    refuse(source, `${encoding} samples must have ${known} bits`, `${bits}`);
  }
}

/**
 * Decodes frames.
 *
 * @param bytes Complete frames.
 * @returns An array of samples per channel, integers scaled to [−1, 1).
 */
export function decodeWav(
  bytes: Uint8Array,
  { encoding, width, channels, isBigEndian = false, isSigned = false }: WavHeader,
): Float32Array[] {
  const view = viewOf(isBigEndian ? reversed(bytes, width) : bytes);
  const read = readerOf(view, encoding, width, isSigned);
  const frames = Math.floor(bytes.length / (width * channels));
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let i = 0; i < frames; i++) samples[i] = read((i * channels + channel) * width);
    return samples;
  });
}

/** A copy with the bytes of each sample in reverse order. */
function reversed(bytes: Uint8Array, width: number): Uint8Array {
  const copy = bytes.slice();
  for (let at = 0; at + width <= copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}

function readerOf(
  view: DataView,
  encoding: WavHeader["encoding"],
  width: number,
  isSigned: boolean,
): (at: number) => number {
  if (encoding === "alaw") return (at) => alaw(view.getUint8(at)) / 32768;
  if (encoding === "mulaw") return (at) => mulaw(view.getUint8(at)) / 32768;
  if (encoding === "float") {
    return width === 4 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  }
  switch (width) {
    case 1:
      return isSigned ? (at) => view.getInt8(at) / 128 : (at) => (view.getUint8(at) - 128) / 128;
    case 2:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 3:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}

/** 16-bit value of an A-law code (ITU-T G.711). */
function alaw(code: number): number {
  const bits = code ^ 0x55;
  const exponent = bits >> 4 & 7;
  const mantissa = (bits & 15) << 4 | 8;
  const size = exponent === 0 ? mantissa : (mantissa | 0x100) << exponent - 1;
  return bits & 0x80 ? size : -size;
}

/** 16-bit value of a mu-law code (ITU-T G.711). */
function mulaw(code: number): number {
  const bits = ~code;
  const size = ((bits & 15) << 3 | 0x84) << (bits >> 4 & 7);
  return bits & 0x80 ? 0x84 - size : size - 0x84;
}
