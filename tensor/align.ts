import { type DType, elementBytes } from "./dtype.ts";

/** Elements at whose multiples a binding may start on every adapter: 256 bytes. */
export const alignOf = (dtype: DType): number => 256 / elementBytes(dtype);

/** The same for elements of 4 bytes. */
export const ALIGN = 64;

/** The first multiple of `to` from `n` on; of {@linkcode ALIGN} unless told. */
export const roundUp = (n: number, to = ALIGN): number => Math.ceil(n / to) * to;

/** The last multiple of `to` up to `n`; of {@linkcode ALIGN} unless told. */
export const roundDown = (n: number, to = ALIGN): number => Math.floor(n / to) * to;
