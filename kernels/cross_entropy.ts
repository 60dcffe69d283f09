import { record } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import source from "./cross_entropy.wgsl" with { type: "text" };
import { ofType } from "./internal/checks.ts";
import { reduceLosses, type Reduction } from "./internal/reduce_losses.ts";
import { runSoftmaxRows, softmaxKernel } from "./internal/softmax_rows.ts";

const kernel = softmaxKernel("cross_entropy", source);

/** Options of {@linkcode crossEntropy}. */
export interface CrossEntropyOptions {
  /** Mean over the batch, sum, or one loss per item; "mean" unless given. */
  readonly reduction?: Reduction;
}

/**
 * Cross-entropy of class scores, −log softmax(logits)[label], in nats, as torch.nn.functional.cross_entropy.
 *
 * @param logits Scores, [B, N].
 * @param labels Class of each row, B whole numbers below N.
 * @returns [] or, for the reduction "none", [B].
 * @throws {TypeError} If logits is not f32 of two dimensions, or there is not one label for each row.
 * @throws {RangeError} If a label is not a class, or there is no row.
 * @example
 * ```ts
 * import { crossEntropy, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const loss = crossEntropy(gpu.tensor([0, 0, 0, 0], [2, 2]), [0, 1]); // 0.693147
 * console.log(await loss.read());
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  labels: readonly number[],
  { reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  const x = logits;
  const size = check(x, labels);
  const [batch] = size;
  const { gpu } = x;
  const each = reduction === "none";
  const params = { each: Number(each), weight: reduction === "mean" ? 1 / batch : 1 };
  const classes = gpu.tensor(Int32Array.from(labels));
  const losses = gpu.empty([batch]);
  runSoftmaxRows(gpu, kernel, size, { entry: "forward", rows: { x, labels: classes, y: losses }, params });
  const y = reduceLosses(losses, reduction);
  record("crossEntropy", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runSoftmaxRows(gpu, kernel, size, {
      entry: "backward",
      rows: { x, labels: classes, dx, ...(each && { dy: dy! }) },
      whole: each ? {} : { dy: dy! },
      params,
    });
    return [dx];
  }, [classes]);
  return y;
}

function check(logits: Tensor, labels: readonly number[]): readonly [batch: number, columns: number] {
  ofType("take a cross-entropy", "logits", logits, "f32");
  const [batch, columns] = logits.shape;
  if (batch === undefined || columns === undefined || logits.shape.length !== 2 || labels.length !== batch) {
    throw new TypeError(
      "Cannot take a cross-entropy as logits must be [B, N] with B labels: " +
        `logits are ${showShape(logits.shape)}, labels are [${labels.length}]`,
    );
  }
  if (batch === 0) {
    throw new RangeError(
      "Cannot take a cross-entropy as there must be a row: logits are " + showShape(logits.shape),
    );
  }
  labels.forEach((label, row) => {
    if (Number.isInteger(label) && label >= 0 && label < columns) return;
    throw new RangeError(
      `Cannot take a cross-entropy as labels must be whole numbers below ${columns}: labels[${row}] is ${label}`,
    );
  });
  return [batch, columns];
}
