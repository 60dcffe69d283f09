// libvorbis, libopus and mpg123 as WebAssembly, each loaded when a file needs it.
import { type AudioSource, refuse } from "./source.ts";
import { oggPages } from "./ogg.ts";

/** Samples that were decoded together: one array for each channel, all of the same length. */
export interface AudioBlock {
  readonly channels: readonly Float32Array[];
  /** Hz. */
  readonly sampleRate: number;
}

/** What the libraries have in common. */
interface Decoder {
  readonly ready?: Promise<void>;
  decode(bytes: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Decoded | Promise<Decoded>;
  free(): void;
}

interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
  errors?: { message: string }[];
}

const PIECE = 65_536;
// Bytes without audio: more than any picture in a header, few enough for decoders that search again and again.
const MOST_SILENT = 2 ** 25;

/**
 * Decodes a compressed file, a piece at a time.
 *
 * @throws {SyntaxError} If the library finds a fault in it.
 */
export async function* decodeByLibrary(
  source: AudioSource,
  format: "vorbis" | "opus" | "mp3",
): AsyncGenerator<AudioBlock> {
  const decoder = await load(format);
  const run = async (step: () => Decoded | Promise<Decoded>): Promise<AudioBlock[]> => {
    const { channelData, sampleRate, errors } = await attempt(source, step);
    const [error] = errors ?? [];
    if (error !== undefined) refuse(source, `its ${format} data must be sound`, error.message);
    if ((channelData[0]?.length ?? 0) === 0) return [];
    return [{ channels: channelData, sampleRate }];
  };
  try {
    await decoder.ready;
    const pieces = format === "mp3" ? piecesOf(source) : oggPages(source);
    let silent = 0;
    for (const piece of pieces) {
      const blocks = await run(() => decoder.decode(piece));
      silent = blocks.length > 0 ? 0 : silent + piece.length;
      if (silent > MOST_SILENT) {
        refuse(source, `its ${format} data must be sound`, `no frame in ${silent} bytes`);
      }
      yield* blocks;
    }
    if (decoder.flush !== undefined) yield* await run(() => decoder.flush!());
  } finally {
    decoder.free();
  }
}

async function load(format: "vorbis" | "opus" | "mp3"): Promise<Decoder> {
  switch (format) {
    case "vorbis":
      return new (await import("npm:@wasm-audio-decoders/ogg-vorbis@0.1.20")).OggVorbisDecoder();
    case "opus":
      return new (await import("npm:ogg-opus-decoder@1.7.5")).OggOpusDecoder();
    case "mp3":
      return new (await import("npm:mpg123-decoder@1.0.3")).MPEGDecoder();
  }
}

function* piecesOf(source: AudioSource): Generator<Uint8Array> {
  for (let at = 0; at < source.size; at += PIECE) yield source.read(at, PIECE);
}

/** Runs a step of a decoder. What it prints about errors, which it also returns, and what it throws become one line. */
async function attempt(source: AudioSource, step: () => Decoded | Promise<Decoded>): Promise<Decoded> {
  const { error, warn } = console;
  try {
    // The libraries compute before they return; only then is the console theirs.
    console.error = console.warn = () => {};
    const result = step();
    Object.assign(console, { error, warn });
    return await result;
  } catch (thrown) {
    Object.assign(console, { error, warn });
    return refuse(source, "it must be sound", thrown instanceof Error ? thrown.message : String(thrown));
  }
}
