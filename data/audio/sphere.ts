// Reads the header of NIST SPHERE files, in which TIMIT, WSJ and Switchboard are published.
import { type AudioSource, refuse } from "./source.ts";
import type { WavHeader } from "./wav.ts";

const ENCODINGS: Readonly<Record<string, WavHeader["encoding"]>> = {
  "pcm": "integer",
  "ulaw": "mulaw",
  "mu-law": "mulaw",
  "alaw": "alaw",
};
const CONVERT = "convert it: sph2pipe -f wav IN OUT";

/**
 * Reads the header of a NIST SPHERE file: lines `NAME -TYPE VALUE` of ASCII, padded to the size in the second line; the
 * samples follow, channels interleaved (NIST, "SPHERE: SPeech HEader REsources", 1990).
 *
 * @returns The layout of the samples, PCM of 16, 24 or 32 bits, mu-law or A-law.
 * @throws {SyntaxError} If the header is broken, the samples are compressed (Shorten), or they end beyond the file.
 */
export function readSphereHeader(source: AudioSource): WavHeader {
  const start = Number(/^NIST_1A\s+(\d+)\s/.exec(textOf(source.read(0, 32)))?.[1] ?? NaN);
  if (!(start >= 16 && start <= 65_536)) {
    refuse(source, "the header of a NIST SPHERE file must state its size", "it does not");
  }
  const text = textOf(source.read(0, start));
  const end = text.search(/^end_head\b/m);
  if (end < 0) refuse(source, "the header of a NIST SPHERE file must end with end_head", "it does not");
  const fields = new Map<string, string>();
  for (const [, name, value] of text.slice(0, end).matchAll(/^(\w+) -\w+ +(.*?) *$/gm)) {
    fields.set(name!, value!);
  }
  const whole = (name: string, least: number, most: number, ifMissing?: number): number => {
    const value = fields.get(name);
    const number = value === undefined ? ifMissing ?? NaN : Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    return refuse(source, `${name} of NIST SPHERE must be ${least} to ${most}`, value ?? "it is missing");
  };
  const coding = fields.get("sample_coding") ?? "pcm";
  const encoding = ENCODINGS[coding] ??
    refuse(
      source,
      `NIST SPHERE must be PCM, mu-law or A-law, not compressed (${CONVERT})`,
      `it is ${coding}`,
    );
  const isPcm = encoding === "integer";
  const width = isPcm ? whole("sample_n_bytes", 2, 4) : whole("sample_n_bytes", 1, 1, 1);
  const channels = whole("channel_count", 1, 64, 1);
  const sampleRate = whole("sample_rate", 1000, 192_000);
  const rest = source.size - start;
  const frame = width * channels;
  const frames = whole("sample_count", 0, Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(rest / frame)));
  if (frames * frame > rest) {
    refuse(source, "its data must lie within the file", `they take ${frames * frame} bytes, ${rest} follow`);
  }
  const isBigEndian = isPcm && readOrder(source, fields.get("sample_byte_format"), width);
  return { encoding, width, channels, sampleRate, start, frames, isBigEndian };
}

/** Whether the most significant byte comes first: `10`, or `3210`; the digits are the significance of each byte. */
function readOrder(source: AudioSource, order: string | undefined, width: number): boolean {
  const digits = [..."0123".slice(0, width)];
  // Some programs write the order of two bytes for wider samples.
  if (order === digits.join("") || order === "01") return false;
  if (order === digits.reverse().join("") || order === "10") return true;
  return refuse(
    source,
    `sample_byte_format of ${width} bytes must be ${digits.toReversed().join("")} or ${digits.join("")}`,
    order ?? "it is missing",
  );
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
