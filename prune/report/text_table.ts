/**
 * Formats tables as text and as Markdown.
 *
 * @module
 */

/** Rows of cells; the first column is left-aligned, the others right-aligned. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table for a terminal: columns two spaces apart. */
export function plain({ head, rows }: Table): string {
  const width = widths({ head, rows });
  const line = (cells: readonly string[]) => aligned(cells, width).join("  ").trimEnd();
  return [head, width.map((n) => "-".repeat(n)), ...rows].map(line).join("\n");
}

/** The table in Markdown, as `deno fmt` leaves it. */
export function markdown({ head, rows }: Table): string {
  const width = widths({ head, rows }).map((n) => Math.max(3, n));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = width.map((n, column) => column === 0 ? "-".repeat(n) : `${"-".repeat(n - 1)}:`);
  return [line(aligned(head, width)), line(rule), ...rows.map((row) => line(aligned(row, width)))].join("\n");
}

function widths({ head, rows }: Table): number[] {
  return head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
}

function aligned(cells: readonly string[], width: readonly number[]): string[] {
  return width.map((n, column) => {
    const cell = cells[column] ?? "";
    return column === 0 ? cell.padEnd(n) : cell.padStart(n);
  });
}
