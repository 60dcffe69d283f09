/** Blocks of 4×4 numbers of an invocation, along m and along n. */
export interface Blocks {
  /** Along m. */
  readonly rowBlocks: number;
  /** Along n; at most two. */
  readonly columnBlocks: number;
}

/**
 * Statements of WGSL that add four terms to the strips `c0`, `c1`, …, from `rows0`, `rows1`, … and from `left` and `right`, which are
 * matrices of four rows or columns with a column for each term. Indices go back and forth, so that a multiply–add shares an
 * operand with that before it.
 *
 * @param blocks What an invocation computes.
 * @param turnTerms Whether terms go back and forth, too; otherwise every sum adds them up in their order.
 */
export function multiplyAdds({ rowBlocks, columnBlocks }: Blocks, turnTerms: boolean): string {
  const nextRowBlocks = backAndForth(rowBlocks);
  const nextTerms = turnTerms ? backAndForth(4) : () => upTo(4);
  const nextColumnBlocks = backAndForth(columnBlocks);
  const statements: string[] = [];
  for (const row of upTo(4)) {
    for (const rowBlock of nextRowBlocks()) {
      for (const term of nextTerms()) {
        for (const columnBlock of nextColumnBlocks()) {
          const columns = columnBlock === 0 ? "left" : "right";
          const sum = `c${rowBlock}.${columns}[${row}]`;
          statements.push(
            `${sum} = fma(vec4f(rows${rowBlock}[${term}][${row}]), ${columns}[${term}], ${sum});`,
          );
        }
      }
    }
  }
  return statements.join("\n");
}

const upTo = (extent: number) => Array.from({ length: extent }, (_, i) => i);

/** The indices below an extent, at every second call in reverse. */
function backAndForth(extent: number): () => number[] {
  let indices = upTo(extent).reverse();
  return () => indices = indices.toReversed();
}
