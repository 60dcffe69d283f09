/**
 * Converts samples to 16 bits: times 32,768, rounded, saturated.
 *
 * @param samples [S], ±1 at full scale.
 * @returns [S]
 */
export function toInt16(samples: Float32Array): Int16Array<ArrayBuffer> {
  // Int16Array.from would wrap values beyond full scale.
  return Int16Array.from(samples, (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768))));
}

/**
 * Encodes one channel as a WAV file of 16 bits (RIFF, format tag 1).
 *
 * @param samples [S]
 * @param sampleRate Hz.
 * @returns The file's bytes.
 *
 * @example
 * ```ts
 * import { encodeWav } from "./wav_write.ts";
 *
 * encodeWav(new Int16Array(16_000), 16_000).length; // 32044: a second of silence
 * ```
 */
export function encodeWav(samples: Int16Array, sampleRate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  ascii(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => view.setInt16(44 + i * 2, sample, true));
  return bytes;
}
