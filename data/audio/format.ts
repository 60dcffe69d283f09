// Detects the format of an audio file and reads its duration from the header, without decoding.
import { type AudioSource, refuse, tagAt, viewOf } from "./source.ts";
import { readAiffHeader } from "./aiff.ts";
import { foreignName } from "./foreign.ts";
import { firstPacket, lastGranule } from "./ogg.ts";
import { readSphereHeader } from "./sphere.ts";
import { readWavHeader, type WavHeader } from "./wav.ts";

/** Container and codec. */
export type AudioFormat =
  | "wav"
  | "aiff"
  | "sphere"
  | "flac"
  | "ogg flac"
  | "vorbis"
  | "opus"
  | "mp3"
  | "g722";

/** Format and duration of a file, read from its header. */
export interface AudioHead {
  readonly format: AudioFormat;
  /** Duration in seconds according to the header, a lower bound for MP3; null if unknown. */
  readonly seconds: number | null;
  /** Number of frames that decoding must give, if the header states it and the format guarantees it; else null. */
  readonly frames: number | null;
  /** Number of frames before the encoder's padding, if the header states it. */
  readonly end?: number;
  /** Header of a WAV, AIFF or NIST SPHERE file. */
  readonly wav?: WavHeader;
}

/**
 * Detects the format by the first bytes, or by the name for .g722, which has no header.
 *
 * @throws {SyntaxError} If the file is empty, of an unknown format, or its header is broken.
 */
export function readAudioHead(source: AudioSource): AudioHead {
  if (source.size === 0) refuse(source, "it must have samples", "the file is empty");
  const start = source.read(0, 512);
  const tag = tagAt(start, 0);
  const uncompressed = (format: AudioFormat, wav: WavHeader): AudioHead => {
    return { format, seconds: wav.frames / wav.sampleRate, frames: wav.frames, wav };
  };
  if (["RIFF", "RF64", "RIFX"].includes(tag) && tagAt(start, 8) === "WAVE") {
    return uncompressed("wav", readWavHeader(source));
  }
  if (tag === "FORM" && /^AIF[FC]$/.test(tagAt(start, 8))) {
    return uncompressed("aiff", readAiffHeader(source));
  }
  if (tag === "NIST") return uncompressed("sphere", readSphereHeader(source));
  if (/\.g722$/i.test(source.name)) return { format: "g722", seconds: source.size / 8000, frames: null };
  if (tag === "fLaC") return flacHead(source, start);
  if (tag === "OggS") return oggHead(source, start);
  if (tag.startsWith("ID3") || isMp3Frame(viewOf(start), 0)) return mp3Head(source, start);
  const bytes = Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const name = foreignName(start);
  return refuse(
    source,
    "its format must be WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus, AIFF, NIST SPHERE or .g722",
    name === undefined ? `it starts with ${bytes}` : `it is ${name}`,
  );
}

function flacHead(source: AudioSource, start: Uint8Array): AudioHead {
  if (start.length < 42) {
    refuse(source, "a FLAC file starts with 42 bytes of header", `it has ${start.length} bytes`);
  }
  const view = viewOf(start);
  const sampleRate = view.getUint32(18) >>> 12;
  const bits = (view.getUint16(20) >>> 4 & 31) + 1;
  if (![8, 16, 24].includes(bits)) refuse(source, "FLAC must have 8, 16 or 24 bits", `it has ${bits}`);
  // 36 bits; 0 if the encoder did not know.
  const frames = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22) || null;
  return { format: "flac", seconds: secondsOf(frames, sampleRate), frames };
}

function secondsOf(frames: number | null, sampleRate: number): number | null {
  return frames === null || sampleRate === 0 ? null : frames / sampleRate;
}

function oggHead(source: AudioSource, start: Uint8Array): AudioHead {
  const packet = firstPacket(start);
  const text = String.fromCharCode(...packet.subarray(0, 8));
  const last = lastGranule(source);
  if (text.startsWith("\x01vorbis") && packet.length >= 16) {
    const sampleRate = viewOf(packet).getUint32(12, true);
    return { format: "vorbis", seconds: secondsOf(last, sampleRate), frames: null };
  }
  if (text === "OpusHead" && packet.length >= 19) {
    // The library does not trim the padding of a stream of one page (RFC 7845: end = last granule − pre-skip).
    const end = last === null ? Infinity : Math.max(0, last - viewOf(packet).getUint16(10, true));
    return { format: "opus", seconds: secondsOf(last, 48_000), frames: null, end };
  }
  if (text.startsWith("\x7fFLAC") && packet.length >= 51) {
    const { seconds, frames } = flacHead(source, packet.subarray(9));
    return { format: "ogg flac", seconds, frames };
  }
  const found = JSON.stringify(text.replace(/[^\x20-\x7e]/g, "?"));
  return refuse(
    source,
    "an Ogg file must hold Vorbis, Opus or FLAC",
    `its first packet starts with ${found}`,
  );
}

/** Whether there is the header of an MPEG-1 or -2 audio frame at an offset. */
function isMp3Frame(view: DataView, at: number): boolean {
  if (view.byteLength < at + 4) return false;
  const bits = view.getUint32(at);
  const [version, layer, bitrate, rate] = [
    bits >>> 19 & 3,
    bits >>> 17 & 3,
    bits >>> 12 & 15,
    bits >>> 10 & 3,
  ];
  return bits >>> 21 === 0x7ff && version !== 1 && layer !== 0 && bitrate !== 15 && rate !== 3;
}

function mp3Head(source: AudioSource, start: Uint8Array): AudioHead {
  const size = start.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
  const at = tagAt(start, 0).startsWith("ID3") ? 10 + size : 0;
  const frame = viewOf(source.read(at, 256));
  // A lower bound by the highest bit rate, 320 kbit/s, unless a Xing or LAME header gives the number of frames.
  let seconds = (source.size - at) / 40_000;
  if (isMp3Frame(frame, 0)) {
    const mpeg1 = (frame.getUint8(1) >> 3 & 3) === 3;
    const rate = ([44100, 48000, 32000][frame.getUint8(2) >> 2 & 3] ?? 44100) /
      [4, 1, 2, 1][frame.getUint8(1) >> 3 & 3]!;
    const mono = frame.getUint8(3) >> 6 === 3;
    const table = 4 + (mpeg1 ? (mono ? 17 : 32) : (mono ? 9 : 17));
    const name = table + 12 <= frame.byteLength ? frame.getUint32(table) : 0;
    // "Xing" or "Info", with the flag for the number of frames.
    if ((name === 0x58696e67 || name === 0x496e666f) && frame.getUint8(table + 7) & 1) {
      seconds = frame.getUint32(table + 8) * (mpeg1 ? 1152 : 576) / rate;
    }
  }
  return { format: "mp3", seconds, frames: null };
}
