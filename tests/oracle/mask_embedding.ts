import { type Nd, nd } from "./nd.ts";

/** x with the frames whose mask is 1 replaced by e. x [B, T, C], e [C], frameMask [B, T]. */
export function maskEmbedding(x: Nd, e: Nd, frameMask: Nd): Nd {
  const C = e.data.length;
  if (x.shape.at(-1) !== C || frameMask.data.length * C !== x.data.length) {
    throw new TypeError(
      `Cannot mask as e must be [C] and the mask [B, T]: x is [${x.shape}], e is [${e.shape}], mask is [${frameMask.shape}]`,
    );
  }
  const y = nd(x.shape, x.data);
  for (let frame = 0; frame < frameMask.data.length; frame++) {
    if (frameMask.data[frame] === 0) continue;
    for (let c = 0; c < C; c++) y.data[frame * C + c] = e.data[c]!;
  }
  return y;
}
