/**
 * Number of elements of a shape.
 *
 * @example
 * ```ts
 * import { sizeOf } from "./shape.ts";
 *
 * console.log(sizeOf([2, 3]), sizeOf([])); // 6 1
 * ```
 */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A shape as error messages print it: `[2, 3]`. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
