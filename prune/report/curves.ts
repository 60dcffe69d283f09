// The training curves of a report, from the metrics of both phases.

import type { MetricsRecord } from "../../train/metrics.ts";
import type { Quantity } from "../cost.ts";
import type { FinetuningCurve, PruningCurve } from "./report.ts";

const QUANTITIES: readonly Quantity[] = ["parameters", "conv", "transformer", "macs"];

/**
 * Curves of the pruning phase, from its metrics: the record of a step has `loss`, and per constraint `removed.macs`,
 * `target.macs`, `lambda1.macs` and `lambda2.macs`, with the quantity after the dot. Other records are skipped.
 *
 * @param records Metrics, in their order.
 *
 * @example
 * ```ts
 * import { pruningCurve } from "./curves.ts";
 *
 * const line = { "removed.macs": 0.2, "target.macs": 0.25, "lambda1.macs": 0.1, "lambda2.macs": 0.02 };
 * pruningCurve([{ step: 1, loss: 3.5, ...line }, { step: 1, dev_loss: 3.4 }]).constraints[0]!.expected; // [0.2]
 * ```
 */
export function pruningCurve(records: readonly MetricsRecord[]): PruningCurve {
  const first = records.find(({ loss }) => isNumber(loss));
  const quantities = QUANTITIES.filter((quantity) => isNumber(first?.[`removed.${quantity}`]));
  const keysOf = (quantity: Quantity) =>
    ["removed", "target", "lambda1", "lambda2"].map((name) => `${name}.${quantity}`);
  const keys = ["loss", ...quantities.flatMap(keysOf)];
  const steps = records.filter((record) => keys.every((key) => isNumber(record[key])));
  const column = (key: string) => steps.map((record) => record[key] as number);
  return {
    steps: column("step"),
    loss: column("loss"),
    constraints: quantities.map((quantity) => {
      const [expected, target, lambda1, lambda2] = keysOf(quantity).map(column);
      return { quantity, expected: expected!, target: target!, lambda1: lambda1!, lambda2: lambda2! };
    }),
  };
}

/**
 * Curves of fine-tuning, from its metrics: the record of a step has `loss`, that of an evaluation `dev_loss`, and `wer` and
 * `cer` or `accuracy`. Other records are skipped.
 *
 * @param records Metrics, in their order.
 *
 * @example
 * ```ts
 * import { finetuningCurve } from "./curves.ts";
 *
 * const { loss, evaluations } = finetuningCurve([{ step: 1, loss: 0.8 }, { step: 1, dev_loss: 0.9, wer: 0.2 }]);
 * console.log(loss, evaluations); // [ 0.8 ] [ { step: 1, loss: 0.9, wer: 0.2 } ]
 * ```
 */
export function finetuningCurve(records: readonly MetricsRecord[]): FinetuningCurve {
  const steps = records.filter(({ loss }) => isNumber(loss));
  return {
    steps: steps.map(({ step }) => step),
    loss: steps.map(({ loss }) => loss as number),
    evaluations: records.flatMap(({ step, dev_loss, wer, cer, accuracy }) =>
      isNumber(dev_loss)
        ? [{
          step,
          loss: dev_loss,
          ...isNumber(wer) && { wer },
          ...isNumber(cer) && { cer },
          ...isNumber(accuracy) && { accuracy },
        }]
        : []
    ),
  };
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
