// The plots of a report as SVG.

import { CURVE_HEIGHT, devOption, lambdaOption, lossOption, removedOption } from "./plot_curves.ts";
import { unitsMap } from "./plot_map.ts";
import { modelsHeight, modelsOption } from "./plot_models.ts";
import { drawSvg } from "./draw_svg.ts";
import type { Option } from "./plot_style.ts";
import { UNITS_HEIGHT, unitsOption } from "./plot_units.ts";
import type { PruneReport } from "./report.ts";

/** A plot of a report. */
export interface ReportPlot {
  /** Name of its file without ending, such as `loss`. */
  readonly name: string;
  /** Its heading. */
  readonly title: string;
  /** What is to be seen in it. */
  readonly caption: string;
  /** The picture, 900 pixels wide, self-contained. */
  readonly svg: string;
}

/**
 * Draws the plots of a report: the models beside each other, kept units per layer and one by one, and the course of
 * pruning and fine-tuning. What a report has no numbers for has no plot. The same report gives the same pictures.
 *
 * @param report The run.
 * @throws {Error} If the npm package echarts cannot be loaded; one line.
 *
 * @example
 * ```ts ignore
 * import { reportPlots } from "./plots.ts";
 *
 * for (const { name, svg } of await reportPlots(report)) await Deno.writeTextFile(`${name}.svg`, svg);
 * ```
 */
export async function reportPlots(report: PruneReport): Promise<ReportPlot[]> {
  const chart = async (name: string, height: number, option: Option | null) =>
    option && await drawSvg(name, height, option);
  const rate = report.task === "asr" ? "error rate" : "accuracy";
  const plots: (Omit<ReportPlot, "svg"> & { svg: string | null })[] = [
    {
      name: "models",
      title: "Models",
      caption: `Test ${rate} with its 95 % interval; parameters, multiply–accumulates and time with their ` +
        "share of the dense model.",
      svg: await chart("models", modelsHeight(report.models.length), modelsOption(report)),
    },
    {
      name: "units",
      title: "Units per layer",
      caption: "The number over a bar counts the units kept.",
      svg: await chart("units", UNITS_HEIGHT, unitsOption(report)),
    },
    {
      name: "map",
      title: "Map of the units",
      caption: "A row is a layer, a cell is a unit in its original place: dark is kept, light is removed. " +
        "In rows with more units than pixels a cell is the mean of its units.",
      svg: unitsMap(report),
    },
    {
      name: "removed",
      title: "Share removed in the course of pruning",
      caption: "As the gates expect it, against the target that rises to its final value.",
      svg: await chart("removed", CURVE_HEIGHT, removedOption(report)),
    },
    {
      name: "lambda",
      title: "Lagrangian multipliers",
      caption: "λ₁ weighs how far the share removed is from its target, λ₂ the square of that; " +
        "both are learned along with the gates.",
      svg: await chart("lambda", CURVE_HEIGHT, lambdaOption(report)),
    },
    {
      name: "loss",
      title: "Loss",
      caption: "Task loss of every step, and its running mean over a fortieth of the steps.",
      svg: await chart("loss", CURVE_HEIGHT, lossOption(report)),
    },
    {
      name: "dev",
      title: "Recovery by fine-tuning",
      caption: `Measured on the dev clips while the pruned model is fine-tuned.`,
      svg: await chart("dev", CURVE_HEIGHT, devOption(report)),
    },
  ];
  return plots.flatMap(({ svg, ...plot }) => svg === null ? [] : [{ ...plot, svg }]);
}
