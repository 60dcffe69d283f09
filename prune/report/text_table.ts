/**
 * Formats tables as text and as Markdown.
 *
 * @module
 */

/** Rows of cells. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that are left-aligned; the others are right-aligned. Default: the first one. */
  readonly left?: readonly number[];
}

/** The table for a terminal: columns two spaces apart. */
export function plain({ head, rows, left }: Table): string {
  const width = widths({ head, rows });
  const line = (cells: readonly string[]) => aligned(cells, width, left).join("  ").trimEnd();
  return [head, width.map((n) => "-".repeat(n)), ...rows].map(line).join("\n");
}

/** The table in Markdown, as `deno fmt` leaves it. */
export function markdown({ head, rows, left = [0] }: Table): string {
  const width = widths({ head, rows }).map((n) => Math.max(3, n));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = width.map((n, column) => left.includes(column) ? "-".repeat(n) : `${"-".repeat(n - 1)}:`);
  return [line(aligned(head, width, left)), line(rule), ...rows.map((row) => line(aligned(row, width, left)))]
    .join("\n");
}

function widths({ head, rows }: Table): number[] {
  return head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
}

function aligned(
  cells: readonly string[],
  width: readonly number[],
  left: readonly number[] = [0],
): string[] {
  return width.map((n, column) => {
    const cell = cells[column] ?? "";
    return left.includes(column) ? cell.padEnd(n) : cell.padStart(n);
  });
}
