import { logSoftmax } from "./log_softmax.ts";
import { type Nd, nd } from "./nd.ts";

/**
 * −log softmax(logits)[label] per row, as it is ("none", [B]), summed or averaged ([]).
 * logits [B, N], labels one class number per row.
 */
export function crossEntropy(
  logits: Nd,
  labels: readonly number[],
  { reduction = "mean" }: { reduction?: "mean" | "sum" | "none" } = {},
): Nd {
  const [B, N] = logits.shape as [number, number];
  if (logits.shape.length !== 2 || labels.length !== B) {
    throw new TypeError(
      `Cannot take a cross-entropy as there must be one label per row: logits are [${logits.shape}], labels are ${labels.length}`,
    );
  }
  const log = logSoftmax(logits);
  const losses = labels.map((label, n) => {
    if (!(Number.isInteger(label) && label >= 0 && label < N)) {
      throw new RangeError(
        `Cannot take a cross-entropy as labels must be below ${N}: labels[${n}] is ${label}`,
      );
    }
    return -log.data[n * N + label]!;
  });
  if (reduction === "none") return nd([B], losses);
  const total = losses.reduce((a, b) => a + b, 0);
  return nd([], [reduction === "sum" ? total : total / B]);
}
