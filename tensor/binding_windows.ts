import { ALIGN, roundDown } from "./align.ts";
import type { GpuLimits } from "./gpu_options.ts";

/** A range of a tensor that fits one binding, in elements. */
export interface Window {
  /** First element. */
  readonly start: number;
  /** Number of elements. */
  readonly length: number;
}

/** A range of whole rows. */
export interface RowWindow {
  /** First row. */
  readonly row: number;
  /** Number of rows. */
  readonly rows: number;
}

/** Splits `n` elements into ranges that fit one binding each. */
export function flatWindows(
  { limits }: { readonly limits: Pick<GpuLimits, "bindingBytes"> },
  n: number,
): Window[] {
  return rowWindows({ limits }, n, 1).map(({ row, rows }) => ({ start: row, length: rows }));
}

/**
 * Splits `rows` rows of `rowSize` elements each into ranges that fit one binding each and start at a multiple of 64 rows,
 * where a binding may start.
 *
 * @param rowSize Elements of a row, in the widest tensor that is bound by rows.
 * @throws {RangeError} If 64 rows exceed a binding.
 */
export function rowWindows(
  { limits }: { readonly limits: Pick<GpuLimits, "bindingBytes"> },
  rows: number,
  rowSize: number,
): RowWindow[] {
  const capacity = Math.floor(limits.bindingBytes / 4);
  if (rows * rowSize <= capacity) return rows === 0 ? [] : [{ row: 0, rows }];
  const step = roundDown(capacity / rowSize);
  if (step === 0) {
    throw new RangeError(
      `Cannot split rows of ${rowSize} elements as ${ALIGN} of them must fit one binding: ` +
        `the adapter binds ${limits.bindingBytes} bytes`,
    );
  }
  const windows: RowWindow[] = [];
  for (let row = 0; row < rows; row += step) {
    windows.push({ row, rows: Math.min(step, rows - row) });
  }
  return windows;
}
