import { type Nd, nd, sameShape } from "./nd.ts";

/** y = a + b; b's shape equals a's or is a suffix of it, and is then repeated. */
export function add(a: Nd, b: Nd): Nd {
  if (!sameShape(a.shape.slice(a.shape.length - b.shape.length), b.shape)) {
    throw new TypeError(
      `Cannot add as b's shape must be a suffix of a's: a is [${a.shape}], b is [${b.shape}]`,
    );
  }
  const size = b.data.length;
  return nd(a.shape, a.data.map((v, i) => v + b.data[i % size]!));
}
