import type { Tensor } from "../../tensor/tensor.ts";
import { reduceRows } from "./reduce_rows.ts";

/** What a loss returns for a batch: the mean, the sum, or one loss per item. */
export type Reduction = "mean" | "sum" | "none";

/**
 * Reduces the losses of a batch and disposes them, unless it returns them.
 *
 * @param losses Weighted loss of each item, [B].
 * @returns The losses themselves, [B], for "none"; their sum, [], otherwise: a mean is in the weights.
 */
export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  const sum = reduceRows(losses, 1);
  const y = sum.view([]);
  losses.dispose();
  sum.dispose();
  return y;
}
