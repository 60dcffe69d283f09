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
  /** Name of its file without extension, such as `loss`. */
  readonly name: string;
  /** Its heading. */
  readonly title: string;
  /** Caption. */
  readonly caption: string;
  /** The picture, 900 pixels wide. */
  readonly svg: string;
}

/**
 * Draws the plots of a report: comparison of the models, kept units per layer and as a map, and the curves of pruning and
 * fine-tuning. Plots without data are omitted. The same report gives the same pictures.
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
      caption: `Test ${rate} with 95 % confidence intervals; parameters, MACs and time, with their shares ` +
        "of the dense model.",
      svg: await chart("models", modelsHeight(report.models.length), modelsOption(report)),
    },
    {
      name: "units",
      title: "Units per layer",
      caption: "The number above a bar is the count of kept units.",
      svg: await chart("units", UNITS_HEIGHT, unitsOption(report)),
    },
    {
      name: "map",
      title: "Map of the units",
      caption:
        "Each row is a layer, each cell a unit in its original position: dark is kept, light is removed. " +
        "In rows with more units than pixels, the shade of a cell is the kept share of its units.",
      svg: unitsMap(report),
    },
    {
      name: "removed",
      title: "Share removed during pruning",
      caption: "Expected share by the gates' probabilities, and the target, which rises to its final value.",
      svg: await chart("removed", CURVE_HEIGHT, removedOption(report)),
    },
    {
      name: "lambda",
      title: "Lagrange multipliers",
      caption:
        "λ₁ is the weight of the difference between share removed and target, λ₂ that of its square; " +
        "both are trained with the gates.",
      svg: await chart("lambda", CURVE_HEIGHT, lambdaOption(report)),
    },
    {
      name: "loss",
      title: "Loss",
      caption:
        "Training loss of each step, its running mean over a fortieth of the steps, and the loss on the dev set.",
      svg: await chart("loss", CURVE_HEIGHT, lossOption(report)),
    },
    {
      name: "dev",
      title: "Recovery by fine-tuning",
      caption: "Measured on the dev set while the compact model is fine-tuned.",
      svg: await chart("dev", CURVE_HEIGHT, devOption(report)),
    },
  ];
  return plots.flatMap(({ svg, ...plot }) => svg === null ? [] : [{ ...plot, svg }]);
}
