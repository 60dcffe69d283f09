import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../tensor/bind_groups.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import { showShape, type Tensor } from "../tensor/tensor.ts";
import { rowWindows } from "../tensor/binding_windows.ts";
import { overLanes } from "./internal/over_lanes.ts";
import stridedBatchOf from "./internal/_softmax_row.wgsl" with { type: "text" };
import { ofType } from "./internal/checks.ts";
import source from "./cross_entropy.wgsl" with { type: "text" };
import { lanesOf } from "./log_softmax.ts";
import { reduceRows } from "./internal/reduce_rows.ts";

const kernel = new Kernel("cross_entropy", source, [stridedBatchOf, overLanes, index]);

/** What a loss does with the losses of the items of a batch. */
export type Reduction = "mean" | "sum" | "none";

/** Options of {@linkcode crossEntropy}. */
export interface CrossEntropyOptions {
  /** Average over the batch, sum, or one loss per item; "mean" unless given. */
  readonly reduction?: Reduction;
}

/**
 * Cross-entropy of class scores, −log softmax(logits)[label], in natural units, as
 * torch.nn.functional.cross_entropy.
 *
 * @param logits Scores, [B, N].
 * @param labels Class of each row, B whole numbers below N.
 * @returns [] or, for the reduction "none", [B].
 * @throws {TypeError} If logits is not f32 of two dimensions, or there is not one label for each row.
 * @throws {RangeError} If a label is no class, or there is no row.
 * @example
 * ```ts
 * import { crossEntropy, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const loss = crossEntropy(gpu.tensor([0, 0, 0, 0], [2, 2]), [0, 1]); // 0.693147
 * console.log(await loss.read());
 * gpu.destroy();
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  labels: readonly number[],
  { reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  const x = logits;
  ofType("take a cross-entropy", "logits", x, "f32");
  const [batch, columns] = x.shape;
  if (batch === undefined || columns === undefined || x.shape.length !== 2 || labels.length !== batch) {
    throw new TypeError(
      "Cannot take a cross-entropy as logits must be [B, N] with B labels: " +
        `logits are ${showShape(x.shape)}, labels are [${labels.length}]`,
    );
  }
  if (batch === 0) {
    throw new RangeError(
      "Cannot take a cross-entropy as there must be a row: logits are " + showShape(x.shape),
    );
  }
  labels.forEach((label, row) => {
    if (Number.isInteger(label) && label >= 0 && label < columns) return;
    throw new RangeError(
      `Cannot take a cross-entropy as labels must be whole numbers below ${columns}: labels[${row}] is ${label}`,
    );
  });

  const { gpu } = x;
  const weight = reduction === "mean" ? 1 / batch : 1;
  const each = reduction === "none" ? 1 : 0;
  const classes = gpu.tensor(Int32Array.from(labels));
  const run = (entry: string, bind: (first: number, rows: number) => Record<string, Resource>) => {
    for (const { row, rows } of rowWindows(gpu, batch, columns)) {
      gpu.run(kernel, {
        entry,
        bind: {
          x: { tensor: x, start: row * columns, length: rows * columns },
          labels: { tensor: classes, start: row, length: rows },
          ...bind(row, rows),
        },
        params: { rows, columns, each, weight },
        constants: { LANES: lanesOf(columns) },
        workgroups: Math.ceil(rows * lanesOf(columns) / 64),
      });
    }
  };
  const losses = gpu.empty([batch]);
  run("forward", (start, length) => ({ y: { tensor: losses, start, length } }));
  const y = reduceLosses(losses, reduction);
  record("crossEntropy", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    run("backward", (row, rows) => ({
      dy: { tensor: dy!, start: each * row, length: each ? rows : 1 },
      dx: { tensor: dx, start: row * columns, length: rows * columns },
    }));
    return [dx];
  }, [classes]);
  return y;
}

/** The result of a loss: the weighted losses of the items themselves for "none", else their sum. Takes them over. */
export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  const sum = reduceRows(losses, 1);
  const y = sum.view([]);
  losses.dispose();
  sum.dispose();
  return y;
}
