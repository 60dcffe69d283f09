import { type Nd, nd } from "./nd.ts";

/** y[.., c] = x[.., c] · z[c]. x [.., C], z [C]. */
export function gate(x: Nd, z: Nd): Nd {
  const C = z.data.length;
  if (z.shape.length !== 1 || x.shape.at(-1) !== C) {
    throw new TypeError(
      `Cannot gate as there must be one gate per channel: x is [${x.shape}], z is [${z.shape}]`,
    );
  }
  return nd(x.shape, x.data.map((v, i) => v * z.data[i % C]!));
}
