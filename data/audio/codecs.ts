// Decodes with libvorbis, libopus and mpg123, compiled to WebAssembly and loaded on first use.
import { type AudioSource, refuse } from "./source.ts";
import { oggPages } from "./ogg.ts";

/** Decoded samples: one array per channel, all of the same length. */
export interface AudioBlock {
  readonly channels: readonly Float32Array[];
  /** Hz. */
  readonly sampleRate: number;
}

/** The common interface of the three libraries. */
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

const CHUNK = 65_536; // bytes
// Largest run of bytes without samples: longer than any picture in a header, and short enough that a decoder's search
// for the next frame stays fast.
const MAX_WITHOUT_SAMPLES = 2 ** 25;

/**
 * Decodes a compressed file chunk by chunk.
 *
 * @throws {SyntaxError} If the library reports an error.
 */
export async function* decodeByLibrary(
  source: AudioSource,
  format: "vorbis" | "opus" | "mp3",
): AsyncGenerator<AudioBlock> {
  const decoder = await load(format);
  const run = async (step: () => Decoded | Promise<Decoded>): Promise<AudioBlock[]> => {
    const { channelData, sampleRate, errors } = await attempt(source, step);
    const [error] = errors ?? [];
    if (error !== undefined) refuse(source, `its ${format} data must be valid`, error.message);
    if ((channelData[0]?.length ?? 0) === 0) return [];
    return [{ channels: channelData, sampleRate }];
  };
  try {
    await decoder.ready;
    const chunks = format === "mp3" ? chunksOf(source) : oggPages(source);
    let withoutSamples = 0;
    for (const chunk of chunks) {
      const blocks = await run(() => decoder.decode(chunk));
      withoutSamples = blocks.length > 0 ? 0 : withoutSamples + chunk.length;
      if (withoutSamples > MAX_WITHOUT_SAMPLES) {
        refuse(source, `its ${format} data must be valid`, `no frame in ${withoutSamples} bytes`);
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

function* chunksOf(source: AudioSource): Generator<Uint8Array> {
  for (let at = 0; at < source.size; at += CHUNK) yield source.read(at, CHUNK);
}

/** Runs a step of a decoder without its console output; what it throws becomes an error of one line. */
async function attempt(source: AudioSource, step: () => Decoded | Promise<Decoded>): Promise<Decoded> {
  const { error, warn } = console;
  try {
    // The libraries decode synchronously, so nothing else can print in between. They return the errors as well.
    console.error = console.warn = () => {};
    const result = step();
    Object.assign(console, { error, warn });
    return await result;
  } catch (thrown) {
    Object.assign(console, { error, warn });
    return refuse(source, "it must be valid", thrown instanceof Error ? thrown.message : String(thrown));
  }
}
