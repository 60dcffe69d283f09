// Encodes FLAC with libFLAC, compiled to JavaScript and loaded on first use.

/** The functions of the library that are used here. */
interface LibFlac {
  isReady(): boolean;
  on(event: "ready", listener: () => void): void;
  create_libflac_encoder(
    sampleRate: number,
    channels: number,
    bits: number,
    level: number,
    samples: number,
    verify: boolean,
  ): number;
  init_encoder_stream(
    encoder: number,
    write: (bytes: Uint8Array) => void,
    metadata: (info: { min_framesize: number; max_framesize: number; md5sum: string }) => void,
  ): number;
  FLAC__stream_encoder_process(encoder: number, channels: Int32Array[], samples: number): boolean;
  FLAC__stream_encoder_finish(encoder: number): boolean;
  FLAC__stream_encoder_delete(encoder: number): void;
}

const LEVEL = 5;

/**
 * Encodes one channel as a FLAC file of 16 bits.
 *
 * @param samples [S], at least one.
 * @param sampleRate Hz.
 * @returns The file's bytes.
 * @throws {RangeError} If the library refuses the samples or the rate.
 *
 * @example
 * ```ts
 * import { encodeFlac } from "./flac_write.ts";
 *
 * const bytes = await encodeFlac(new Int16Array(16_000), 16_000); // a second of silence
 * ```
 */
export async function encodeFlac(samples: Int16Array, sampleRate: number): Promise<Uint8Array<ArrayBuffer>> {
  const loaded: unknown = await import("npm:libflacjs@5.6.0/dist/libflac.js");
  const flac = (loaded as { default: LibFlac }).default;
  if (!flac.isReady()) await new Promise<void>((ready) => flac.on("ready", ready));
  const parts: Uint8Array[] = [];
  const encoder = flac.create_libflac_encoder(sampleRate, 1, 16, LEVEL, samples.length, false);
  let done = false;
  try {
    done = flac.init_encoder_stream(
          encoder,
          (bytes) => parts.push(bytes.slice()),
          (info) => parts[1] && completeStreamInfo(parts[1], info),
        ) === 0 &&
      flac.FLAC__stream_encoder_process(encoder, [Int32Array.from(samples)], samples.length) &&
      flac.FLAC__stream_encoder_finish(encoder);
  } finally {
    flac.FLAC__stream_encoder_delete(encoder);
  }
  if (!done) {
    const found = `${samples.length} samples at ${sampleRate} Hz`;
    throw new RangeError(`Cannot write FLAC as libFLAC must take the samples: ${found}`);
  }
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Fills in frame sizes and MD5, which libFLAC knows only after the last sample and cannot write into a stream. */
function completeStreamInfo(
  block: Uint8Array,
  { min_framesize, max_framesize, md5sum }: { min_framesize: number; max_framesize: number; md5sum: string },
): void {
  const view = new DataView(block.buffer, block.byteOffset);
  const set24 = (at: number, value: number) => {
    view.setUint8(at, value >>> 16);
    view.setUint16(at + 1, value & 0xffff);
  };
  // STREAMINFO follows 4 bytes of block header (RFC 9639, section 8.2).
  set24(8, min_framesize);
  set24(11, max_framesize);
  block.set(Uint8Array.fromHex(md5sum), 22);
}
