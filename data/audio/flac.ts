// Decodes FLAC with libFLAC, compiled to JavaScript and loaded on first use; Deno cannot load its WebAssembly build.
// Other packages (@wasm-audio-decoders/flac 0.2.11, @audio/decode-flac 1.3.5) lose the last frame of some files when the
// bytes come in chunks.
import { type AudioSource, refuse } from "./source.ts";
import type { AudioBlock } from "./codecs.ts";

/** The functions of the library that are used here. */
interface LibFlac {
  isReady(): boolean;
  on(event: "ready", listener: () => void): void;
  create_libflac_decoder(verify: boolean): number;
  init_decoder_stream(
    decoder: number,
    read: (length: number) => { buffer: Uint8Array; readDataLength: number; error: boolean },
    write: (channels: Uint8Array[], frame: FrameHeader) => void,
    error: (code: number, description: string) => void,
    metadata: (info: StreamInfo | undefined) => void,
    ogg: boolean,
  ): number;
  FLAC__stream_decoder_process_single(decoder: number): boolean;
  FLAC__stream_decoder_get_state(decoder: number): number;
  FLAC__stream_decoder_finish(decoder: number): boolean;
  FLAC__stream_decoder_delete(decoder: number): void;
}

interface FrameHeader {
  blocksize: number;
  sampleRate: number;
  bitsPerSample: number;
}

interface StreamInfo {
  total_samples: number;
  md5sum: string;
}

// Not a literal, as bundlers for browsers refuse modules of Node.
const CRYPTO: string = "node:crypto";

// FLAC__STREAM_DECODER_END_OF_STREAM; greater states are errors.
const END = 4;

let loading: Promise<LibFlac> | undefined;

async function load(): Promise<LibFlac> {
  const loaded: unknown = await import("npm:libflacjs@5.6.0/dist/libflac.js");
  const library = (loaded as { default: LibFlac }).default;
  if (!library.isReady()) await new Promise<void>((resolve) => library.on("ready", resolve));
  return library;
}

/**
 * Decodes a FLAC file of 8, 16 or 24 bits frame by frame; integers of n bits are divided by 2^(n−1). The checksum of
 * each frame and, but in browsers, the MD5 of all samples are verified.
 *
 * @param ogg Whether the FLAC stream is in an Ogg container.
 * @throws {SyntaxError} If the file is broken, has another bit depth, or a checksum differs.
 */
export async function* decodeFlac(source: AudioSource, ogg: boolean): AsyncGenerator<AudioBlock> {
  const library = await (loading ??= load());
  const blocks: AudioBlock[] = [];
  const sum = await startMd5();
  let info: StreamInfo | undefined;
  let problem: string | undefined;
  let at = 0;
  let frames = 0;
  const read = (length: number) => {
    const buffer = source.read(at, length);
    at += buffer.length;
    return { buffer, readDataLength: buffer.length, error: false };
  };
  const write = (channels: Uint8Array[], { blocksize, sampleRate, bitsPerSample: bits }: FrameHeader) => {
    frames += blocksize;
    if (bits !== 8 && bits !== 16 && bits !== 24) {
      problem ??= `a frame has samples of ${bits} bits, not 8, 16 or 24`;
      return;
    }
    const integers = channels.map((bytes) => integersOf(bytes, bits));
    sum?.update(interleave(integers, bits / 8));
    blocks.push({ channels: integers.map((values) => scale(values, bits)), sampleRate });
  };
  const decoder = library.create_libflac_decoder(false);
  try {
    const valid = "its FLAC data must be valid";
    const status = library.init_decoder_stream(
      decoder,
      read,
      write,
      (_, text) =>
        problem ??= text.replace("FLAC__STREAM_DECODER_ERROR_STATUS_", "").replaceAll("_", " ").toLowerCase(),
      (metadata) => info ??= metadata,
      ogg,
    );
    if (status !== 0) refuse(source, valid, `the decoder does not start, with status ${status}`);
    while (info === undefined || info.total_samples === 0 || frames < info.total_samples) {
      const going = library.FLAC__stream_decoder_process_single(decoder);
      if (problem !== undefined) refuse(source, valid, problem);
      yield* blocks.splice(0);
      const state = library.FLAC__stream_decoder_get_state(decoder);
      if (state === END) break;
      if (!going || state > END) refuse(source, valid, `the decoder stops, in state ${state}`);
    }
    const expected = info?.md5sum ?? "";
    // All zeros if the encoder did not compute it.
    if (/[1-9a-f]/.test(expected) && frames > 0 && sum && sum.digest("hex") !== expected) {
      refuse(source, "the MD5 of its samples must be that of its header", "it differs");
    }
  } finally {
    library.FLAC__stream_decoder_finish(decoder);
    library.FLAC__stream_decoder_delete(decoder);
  }
}

/** An MD5; null in browsers, which have none. */
async function startMd5() {
  const crypto = await import(CRYPTO).catch(() => null) as typeof import("node:crypto") | null;
  return crypto && crypto.createHash("md5");
}

/** Samples of one channel: the library returns 2 bytes each up to 16 bits, 4 bytes above. */
function integersOf(bytes: Uint8Array, bits: number): Int16Array | Int32Array {
  // A copy, since the bytes may start at an unaligned offset.
  const { buffer } = bytes.slice();
  return bits <= 16 ? new Int16Array(buffer) : new Int32Array(buffer);
}

function scale(integers: Int16Array | Int32Array, bits: number): Float32Array {
  const samples = new Float32Array(integers.length);
  const unit = 2 ** (1 - bits);
  for (let i = 0; i < samples.length; i++) samples[i] = integers[i]! * unit;
  return samples;
}

/** The bytes that the MD5 is computed from: channels interleaved, little-endian, `width` bytes per sample. */
function interleave(channels: readonly (Int16Array | Int32Array)[], width: number): Uint8Array {
  const bytes = new Uint8Array((channels[0]?.length ?? 0) * channels.length * width);
  const step = channels.length * width;
  channels.forEach((integers, channel) => {
    let at = channel * width;
    for (let i = 0; i < integers.length; i++) {
      const value = integers[i]!;
      for (let byte = 0; byte < width; byte++) bytes[at + byte] = value >> 8 * byte;
      at += step;
    }
  });
  return bytes;
}
