/** A part of an audio file. */
export interface Segment {
  /** Start in seconds, at least 0. */
  readonly offset: number;
  /** Length in seconds; default to the end of the file. */
  readonly seconds?: number;
}

/**
 * The frames of a segment: the nearest to its start and end, within the file.
 *
 * @param segment Start and length.
 * @param sampleRate Frames a second.
 * @param frames Frames of the file; default unknown.
 * @returns First frame, and the one after the last.
 */
export function framesOfSegment(
  { offset, seconds = Infinity }: Segment,
  sampleRate: number,
  frames: number = Infinity,
): { readonly from: number; readonly to: number } {
  const from = Math.min(frames, Math.round(offset * sampleRate));
  return { from, to: Math.max(from, Math.min(frames, Math.round((offset + seconds) * sampleRate))) };
}
