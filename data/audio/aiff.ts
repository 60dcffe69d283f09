// Reads the header of AIFF files, and of AIFF-C without compression.
import { type AudioSource, refuse, tagAt, viewOf } from "./source.ts";
import { checkFormat, type WavHeader } from "./wav.ts";

type Encoding = Pick<WavHeader, "encoding" | "isBigEndian"> & { readonly bits?: number };

/** Encodings of AIFF-C by the name of their compression. */
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  "NONE": { encoding: "integer", isBigEndian: true },
  "twos": { encoding: "integer", isBigEndian: true },
  "sowt": { encoding: "integer", isBigEndian: false },
  "in24": { encoding: "integer", isBigEndian: true, bits: 24 },
  "in32": { encoding: "integer", isBigEndian: true, bits: 32 },
  "fl32": { encoding: "float", isBigEndian: true, bits: 32 },
  "FL32": { encoding: "float", isBigEndian: true, bits: 32 },
  "fl64": { encoding: "float", isBigEndian: true, bits: 64 },
  "FL64": { encoding: "float", isBigEndian: true, bits: 64 },
  "alaw": { encoding: "alaw", bits: 8 },
  "ALAW": { encoding: "alaw", bits: 8 },
  "ulaw": { encoding: "mulaw", bits: 8 },
  "ULAW": { encoding: "mulaw", bits: 8 },
};

const MAX_CHUNKS = 1000;

/**
 * Reads the header of an AIFF or AIFF-C file: chunks as in WAV, in big-endian order; `COMM` has the format, `SSND` the
 * samples (Apple, "Audio Interchange File Format AIFF-C", 1991).
 *
 * @returns The layout of the samples.
 * @throws {SyntaxError} If the format or the samples are missing or out of range, the samples are compressed, or they end
 * beyond the file.
 */
export function readAiffHeader(source: AudioSource): WavHeader {
  let format: Omit<WavHeader, "start"> | undefined;
  let start: number | undefined;
  let at = 12;
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= source.size; count++) {
    const head = source.read(at, 8);
    const [tag, size] = [tagAt(head, 0), viewOf(head).getUint32(4)];
    at += 8;
    if (tag === "COMM") format = readFormat(source, source.read(at, Math.min(size, 22)));
    if (tag === "SSND") {
      const body = source.read(at, 8);
      if (body.length === 8) start = at + 8 + viewOf(body).getUint32(0);
    }
    if (format && start !== undefined) break;
    at += size + size % 2;
  }
  if (!format) return refuse(source, "an AIFF file must have a COMM chunk", "there is none");
  if (start === undefined) return refuse(source, "an AIFF file must have an SSND chunk", "there is none");
  const [bytes, rest] = [format.frames * format.width * format.channels, source.size - start];
  if (bytes > rest) {
    refuse(source, "its data must lie within the file", `they take ${bytes} bytes, ${rest} follow`);
  }
  return { ...format, start };
}

function readFormat(source: AudioSource, body: Uint8Array): Omit<WavHeader, "start"> {
  if (body.length < 18) refuse(source, "the format takes 18 bytes", `it has ${body.length}`);
  const view = viewOf(body);
  const compression = body.length >= 22 ? tagAt(body, 18) : "NONE";
  const { bits = view.getUint16(6), ...encoding } = ENCODINGS[compression] ??
    refuse(
      source,
      "AIFF-C must be PCM, float, A-law or mu-law (convert it: ffmpeg -i IN OUT.wav)",
      `it is ${compression}`,
    );
  // An 80-bit float: 15 bits of exponent, and 64 of mantissa with its leading 1, of which 32 suffice.
  const sampleRate = view.getUint32(10) * 2 ** ((view.getUint16(8) & 0x7fff) - 16383 - 31);
  const width = Math.ceil(bits / 8);
  const format = { ...encoding, width, channels: view.getUint16(0), sampleRate: Math.round(sampleRate) };
  checkFormat(source, format, bits);
  return { ...format, frames: view.getUint32(2), isSigned: true };
}
