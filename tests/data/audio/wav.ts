// WAV files for tests.

/** What a test may get wrong on purpose. */
export interface WavSpec {
  /** Format tag: 1 integers, 3 floats, 6 A-law, 7 mu-law; 0xfffe wraps `tag` in the extensible form. */
  tag?: number;
  bits?: number;
  channels?: number;
  sampleRate?: number;
  extensible?: boolean;
  /** Instead of the true sizes. */
  blockAlign?: number;
  dataSize?: number;
  /** Chunks between format and data: name, and bytes. */
  chunks?: [string, Uint8Array][];
}

/** A WAV file of raw sample bytes. */
export function wavFile(data: Uint8Array, spec: WavSpec = {}): Uint8Array<ArrayBuffer> {
  const { tag = 1, bits = 16, channels = 1, sampleRate = 16_000, extensible = false, chunks = [] } = spec;
  const blockAlign = spec.blockAlign ?? channels * bits / 8;
  const format = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  format.setUint16(0, extensible ? 0xfffe : tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, sampleRate, true);
  format.setUint32(8, sampleRate * blockAlign, true);
  format.setUint16(12, blockAlign, true);
  format.setUint16(14, bits, true);
  if (extensible) {
    format.setUint16(16, 22, true);
    format.setUint16(18, bits, true);
    format.setUint16(24, tag, true);
  }
  const body = [
    ...chunk("fmt ", new Uint8Array(format.buffer)),
    ...chunks.flatMap(([name, bytes]) => [...chunk(name, bytes)]),
    ...chunk("data", data, spec.dataSize),
  ];
  return Uint8Array.from([...chunk("RIFF", new Uint8Array(0), body.length + 4), ...ascii("WAVE"), ...body]);
}

/** Bytes of integers of `bits` bits, little-endian, two's complement but for 8 bits. */
export function integers(values: readonly number[], bits: number): Uint8Array {
  const shift = bits === 8 ? 128 : 0;
  return Uint8Array.from(
    values.flatMap((value) =>
      Array.from({ length: bits / 8 }, (_, i) => Math.floor((value + shift) / 256 ** i) & 255)
    ),
  );
}

function chunk(name: string, bytes: Uint8Array, size = bytes.length): number[] {
  const length = Array.from({ length: 4 }, (_, i) => Math.floor(size / 256 ** i) & 255);
  return [...ascii(name), ...length, ...bytes, ...(bytes.length % 2 ? [0] : [])];
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}
