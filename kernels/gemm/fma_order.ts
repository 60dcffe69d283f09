// Writes the multiply–adds of a tile kernel in an order that reuses registers.

/** 4×4 blocks of an invocation. */
export interface Blocks {
  /** Along m. */
  readonly blocksM: number;
  /** Along n, at most two. */
  readonly blocksN: number;
}

/**
 * WGSL statements that add four k to the strips `c0`, `c1`, … from the matrices `rows0`, `rows1`, … and `left` and `right`, which
 * have a column for each k. Indices run in serpentine order (up, then down), so that each multiply–add shares an operand with
 * the one before.
 *
 * @param blocks Blocks of an invocation.
 * @param serpentineK Whether k runs in serpentine order, too; otherwise every sum adds its terms in order.
 */
export function multiplyAdds({ blocksM, blocksN }: Blocks, serpentineK: boolean): string {
  const nextBlocksM = serpentine(blocksM);
  const nextK = serpentineK ? serpentine(4) : () => upTo(4);
  const nextBlocksN = serpentine(blocksN);
  const statements: string[] = [];
  for (const row of upTo(4)) {
    for (const m of nextBlocksM()) {
      for (const k of nextK()) {
        for (const n of nextBlocksN()) {
          const columns = n === 0 ? "left" : "right";
          const sum = `c${m}.${columns}[${row}]`;
          statements.push(`${sum} = fma(vec4f(rows${m}[${k}][${row}]), ${columns}[${k}], ${sum});`);
        }
      }
    }
  }
  return statements.join("\n");
}

const upTo = (extent: number) => Array.from({ length: extent }, (_, i) => i);

/** A function that returns the indices below an extent, reversed on every second call. */
function serpentine(extent: number): () => number[] {
  let indices = upTo(extent).reverse();
  return () => indices = indices.toReversed();
}
