import { pathOf } from "../../files/path_of.ts";
import { decodeBytes, loadAudio } from "./audio.ts";
import { readAudioHead } from "./format.ts";
import { bytesSource } from "./source.ts";

/** Options of {@linkcode decodeAudio}. */
export interface DecodeAudioOptions {
  /** Maximum length in seconds; default: 4 hours. */
  readonly maxSeconds?: number;
  /** Name for errors; one that ends in `.g722` marks G.722, which has no header. Default: `the audio`. */
  readonly name?: string;
}

/** Sample rate of the models, Hz. */
const RATE = 16_000;

/**
 * Decodes audio as models take it: the mean of the channels, resampled to 16 kHz. Formats: WAV, FLAC, MP3, Ogg Vorbis, Opus
 * and FLAC, NIST SPHERE, and G.722. In browsers, compressed formats are those of the browser.
 *
 * @param audio Bytes of a file, its path, or its URL.
 * @param options Name, and maximum length in seconds (default: 4 hours).
 * @returns [S] samples, ±1 at full scale.
 * @throws {SyntaxError} If it is empty, broken or of an unknown format.
 * @throws {RangeError} If it is shorter than a frame of the models (400 samples), or too long.
 * @throws {Error} If it cannot be read or fetched.
 * @example
 * ```ts ignore
 * import { decodeAudio, loadModel } from "../../mod.ts";
 *
 * using model = await loadModel("facebook/wav2vec2-base-960h");
 * const { text } = await model.transcribe(await decodeAudio("speech.flac"));
 * ```
 */
export async function decodeAudio(
  audio: Uint8Array | ArrayBuffer | Blob | string | URL,
  { name, maxSeconds }: DecodeAudioOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const options = { sampleRate: RATE, ...maxSeconds !== undefined && { maxSeconds } };
  const url = remoteOf(audio);
  if (!url && (typeof audio === "string" || audio instanceof URL)) {
    return (await loadAudio(pathOf(audio), options)).samples;
  }
  const bytes = url ? await fetchBytes(url) : await bytesOf(audio as Uint8Array | ArrayBuffer | Blob);
  const called = name ?? url?.href ?? "the audio";
  const isCompressed = !["wav", "sphere", "g722"].includes(readAudioHead(bytesSource(bytes, called)).format);
  if (isCompressed && "OfflineAudioContext" in globalThis) return await decodeInBrowser(bytes);
  return (await decodeBytes(bytes, called, options)).samples;
}

/** The address of audio on a server; null for a path, or bytes. In browsers a text is an address. */
function remoteOf(audio: unknown): URL | null {
  if (audio instanceof URL) return audio.protocol === "file:" ? null : audio;
  if (typeof audio !== "string") return null;
  if (/^https?:\/\//.test(audio)) return new URL(audio);
  return "document" in globalThis
    ? new URL(audio, (globalThis as unknown as { document: { baseURI: string } }).document.baseURI)
    : null;
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  await response.body?.cancel();
  throw new Error(`Cannot read ${url.href} as the server must have it: HTTP ${response.status}`);
}

async function bytesOf(audio: Uint8Array | ArrayBuffer | Blob): Promise<Uint8Array> {
  if (audio instanceof Blob) return new Uint8Array(await audio.arrayBuffer());
  return audio instanceof Uint8Array ? audio : new Uint8Array(audio);
}

/** The part of Web Audio that is used here. */
interface AudioBufferLike {
  readonly length: number;
  readonly numberOfChannels: number;
  getChannelData(channel: number): Float32Array;
}

/** Decodes with the browser's decoders, which resample to the rate of their context. */
async function decodeInBrowser(bytes: Uint8Array): Promise<Float32Array<ArrayBuffer>> {
  const { OfflineAudioContext: Context } = globalThis as unknown as {
    OfflineAudioContext: new (channels: number, length: number, rate: number) => {
      decodeAudioData(bytes: ArrayBuffer): Promise<AudioBufferLike>;
    };
  };
  const copy = bytes.slice().buffer as ArrayBuffer; // it is detached
  const audio = await new Context(1, 1, RATE).decodeAudioData(copy);
  const samples = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel++) {
    const values = audio.getChannelData(channel);
    for (let i = 0; i < values.length; i++) samples[i]! += values[i]! / audio.numberOfChannels;
  }
  return samples;
}
