import { type DType, elementBytes } from "./dtype.ts";

/** Number of elements that the start of a binding is a multiple of, on every adapter: 256 bytes. */
export const alignOf = (dtype: DType): number => 256 / elementBytes(dtype);

/** {@linkcode alignOf} elements of 4 bytes. */
export const ALIGN = 64;

/** `n` rounded up to a multiple of `to`, of {@linkcode ALIGN} unless given. */
export const roundUp = (n: number, to = ALIGN): number => Math.ceil(n / to) * to;

/** `n` rounded down to a multiple of `to`, of {@linkcode ALIGN} unless given. */
export const roundDown = (n: number, to = ALIGN): number => Math.floor(n / to) * to;
