import { type Nd, nd } from "./nd.ts";

/** Mean over the first lengths[b] frames (all when null; 0 when none). x [B, T, C]; y [B, C]. */
export function meanFrames(x: Nd, lengths: readonly number[] | null = null): Nd {
  const [B, T, C] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || (lengths !== null && lengths.length !== B)) {
    throw new TypeError(
      `Cannot average as there must be one length per item: x is [${x.shape}], lengths are ${lengths?.length}`,
    );
  }
  const y = nd([B, C]);
  for (let n = 0; n < B; n++) {
    const frames = lengths === null ? T : Math.min(T, lengths[n]!);
    for (let t = 0; t < frames; t++) {
      for (let c = 0; c < C; c++) {
        y.data[n * C + c]! += x.data[(n * T + t) * C + c]! / frames;
      }
    }
  }
  return y;
}
